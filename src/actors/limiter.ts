/**
 * Limiter: forgets the keys of rate limits that have rested, so that memory follows who is there now. Admission itself is a
 * memory read on the data path and does not need it.
 *
 * Parent: admission. Restart: permanent. No state of its own.
 */
import { type ActorContext, type Behavior, type ReplyTo } from '../kernel/index.js';
import { type DataPlane } from './data-plane.js';

export type LimiterMessage =
  | { readonly type: 'limiter/tick' }
  /** How many keys are remembered. */
  | { readonly type: 'limiter/count'; readonly replyTo: ReplyTo<number> };

const TICK_MS = 30_000;

export function limiter(plane: DataPlane) {
  return (context: ActorContext<LimiterMessage>): Behavior<LimiterMessage> => {
    context.after(TICK_MS, { type: 'limiter/tick' });
    return {
      handle: (message) => {
        switch (message.type) {
          case 'limiter/tick':
            plane.auth.limits.sweep(plane.auth.clock.now());
            context.after(TICK_MS, message);
            return;
          case 'limiter/count':
            return message.replyTo.reply(plane.auth.limits.size);
        }
      },
    };
  };
}
