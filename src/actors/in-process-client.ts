/**
 * In-process client: the messages that the program around the gateway routes itself (`Gateway.routeMessage`).
 *
 * Parent: connections (partitioned). Restart: temporary; the next message starts another one. Each message stands alone,
 * as those of the modern era do: there is no handshake. When the actor ends, whatever waits is answered with an error.
 */
import { type ActorContext, type Behavior, type Ref } from '../kernel/index.js';
import { type ClientMessage } from './client-message.js';
import { type SessionEnvironment } from './legacy-session.js';
import { type ModernRequest, ModernPeer } from './modern-peer.js';

export type InProcessMessage =
  | ClientMessage
  | { readonly type: 'in-process/request'; readonly request: ModernRequest }
  /** Who asked does not wait any more. */
  | { readonly type: 'in-process/abandoned'; readonly channel: ModernRequest['channel'] };

export function inProcessClient(env: SessionEnvironment) {
  return (context: ActorContext<InProcessMessage>): Behavior<InProcessMessage> =>
    new InProcessClient(env, context.self);
}

class InProcessClient implements Behavior<InProcessMessage> {
  readonly #peer: ModernPeer;

  constructor(env: SessionEnvironment, self: Ref<InProcessMessage>) {
    this.#peer = new ModernPeer(env, self, env.plane.counters.transports['in-process']);
  }

  handle(message: InProcessMessage): void {
    switch (message.type) {
      case 'in-process/request':
        return this.#peer.request(message.request);
      case 'in-process/abandoned':
        return this.#peer.channelClosed(message.channel);
      case 'call/answered':
      case 'call/failed':
      case 'call/notified':
      case 'call/expired':
      case 'call/retry':
        return this.#peer.heard(message);
      default:
        return; // what concerns sessions and streams does not come here
    }
  }

  terminate(): void {
    this.#peer.shutdown('cancelled_by_gateway', 'the gateway ends');
    this.#peer.close();
  }

  /** It ended before this was its turn. */
  unhandled(message: InProcessMessage): void {
    if (message.type === 'in-process/request') message.request.channel.release();
  }
}
