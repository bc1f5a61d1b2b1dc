/**
 * Drain of a part: one upstream, session, principal or listener is taken out of service while the rest serves on.
 *
 * Parent: partial, where the gateway's drain starts it. Restart: transient; a restarted one goes on where its record says.
 */
import { type ActorContext, type Behavior, NORMAL } from '../../kernel/index.js';
import { type DrainRecord, drainSnapshot } from './board.js';
import { type PartialDrainMessage } from './messages.js';
import { type Drainable, type DrainDeps, DrainRun } from './run.js';

export function partialDrain(deps: DrainDeps, target: Drainable, record: DrainRecord) {
  return (context: ActorContext<PartialDrainMessage>): Behavior<PartialDrainMessage> => {
    const run = new DrainRun(deps, target, record, {
      clock: context.clock,
      later: (ms) => context.after(ms, { type: 'drain/look' }),
      onEnd: () => context.exit(NORMAL),
    });
    if (record.phase === 'running') run.begin();
    else context.self.tell({ type: 'drain/look' });
    return {
      handle: (message) => {
        switch (message.type) {
          case 'drain/look':
            return run.look();
          case 'drain/force':
            run.force();
            return message.replyTo?.reply(drainSnapshot(record));
          case 'drain/cancel':
            run.cancel();
            return message.replyTo?.reply(drainSnapshot(record));
        }
      },
    };
  };
}
