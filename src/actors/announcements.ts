/**
 * What the gateway tells the program that it runs in: typed events, announced by whoever makes them happen. Nothing is
 * put together for an event that nobody listens to.
 */
import { type BreakerSnapshot, type ConnectionSnapshot, type DrainSnapshot } from '../admin/protocol.js';
import { type AlarmSnapshot } from '../admin/snapshot/vsm.js';
import { type DrainOutcome } from '../machines/drain.js';

/** Why a gateway ended. */
export type GatewayEnd =
  /** It was stopped: with all work done, after the deadline, or at once. */
  | { readonly kind: 'drained'; readonly outcome: DrainOutcome }
  /** The root of the tree gave up: its restart intensity was exceeded. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The events of a gateway by name, each with what its listeners are given. Times are epoch milliseconds. */
export interface GatewayEvents {
  /** Clients are served. */
  started: { readonly url: string };
  /** Nothing of the gateway is left. */
  ended: GatewayEnd;
  /** A drain has begun, made progress or ended: the gateway's own, or that of a part. */
  drain: DrainSnapshot;
  /** A server has become ready for calls, and is in the lists. `tools`: how many it has. */
  'upstream/up': { readonly name: string; readonly tools: number };
  /** A server that was ready takes no calls now; `reason` is one sentence. */
  'upstream/down': { readonly name: string; readonly reason: string };
  /** A circuit breaker, of a server or of a client transport, has changed its state. */
  breaker: BreakerSnapshot;
  /** Something begins to hurt. */
  'alarm/raised': AlarmSnapshot;
  /** An alarm has gone on to who can do more about it, or has become critical. */
  'alarm/escalated': AlarmSnapshot;
  /** Somebody has seen an alarm. */
  'alarm/acknowledged': AlarmSnapshot;
  /** It hurts no more. */
  'alarm/cleared': AlarmSnapshot;
  /** A client has opened a session (Streamable HTTP) or a connection (HTTP+SSE, WebSocket). */
  'connection/opened': ConnectionSnapshot;
  /** That session or connection is over. */
  'connection/closed': ConnectionSnapshot;
  /** A changed configuration is in force. */
  'configuration/applied': { readonly version: number; readonly summary: string };
  /** A changed configuration is wrong, and the old one stays; `problems` is text for people. */
  'configuration/refused': { readonly problems: string };
}

/** Hears one kind of event. What it throws is logged and goes no further. */
export type GatewayListener<E extends keyof GatewayEvents> = (event: GatewayEvents[E]) => void;

export class Announcements {
  readonly #listeners = new Map<keyof GatewayEvents, Set<(event: never) => void>>();
  /** Hears what listeners throw. Set when the gateway is put together. */
  onFault: (name: keyof GatewayEvents, cause: unknown) => void = () => undefined;

  /** Calls `listener` with each event of this name, until the answer is called. */
  on<E extends keyof GatewayEvents>(name: E, listener: GatewayListener<E>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** `make` is called only when somebody listens. */
  announce<E extends keyof GatewayEvents>(name: E, make: () => GatewayEvents[E]): void {
    const listeners = this.#listeners.get(name) as Set<GatewayListener<E>> | undefined;
    if (listeners === undefined || listeners.size === 0) return;
    const event = make();
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (cause) {
        this.onFault(name, cause);
      }
    }
  }
}
