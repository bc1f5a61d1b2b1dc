/** What consoles see of drains: the gateway's own, and those of parts of it. */

/** What is taken out of service. */
export type DrainTarget =
  | { readonly kind: 'gateway' }
  | { readonly kind: 'upstream'; readonly name: string }
  /** A client session, by its id. */
  | { readonly kind: 'session'; readonly id: string }
  /** All sessions of one subject. */
  | { readonly kind: 'principal'; readonly subject: string }
  /** A listening socket, by its actor's id, and the connections that came by it. */
  | { readonly kind: 'listener'; readonly id: string };

/** What can be drained. */
export const DRAIN_TARGETS = ['gateway', 'upstream', 'session', 'principal', 'listener'] as const;

/** States of `src/machines/drain.ts`. `running`: it was called off, and its target serves again. */
export type DrainState = 'running' | 'lame_duck' | 'draining' | 'closing' | 'stopped';

/** One drain: what it is of, how far it is, and how it ended. */
export interface DrainSnapshot {
  /** `gateway`, `upstream:github`, `session:<id>` … One at a time for each target. */
  readonly id: string;
  readonly target: DrainTarget;
  readonly state: DrainState;
  /** How it ended; `null` while it goes on. */
  readonly outcome: 'completed' | 'timed_out' | 'forced' | 'cancelled' | null;
  readonly reason: string;
  readonly startedAt: number;
  /** End of the lame-duck time; `startedAt` when there is none. */
  readonly graceUntil: number;
  readonly deadlineAt: number;
  readonly endedAt: number | null;
  /** Clients to be moved: sessions, and HTTP connections between two requests. */
  readonly connectionsAtStart: number;
  readonly connectionsLeft: number;
  readonly inFlight: number;
  /** Without progress for half its time, with work left. */
  readonly stalled: boolean;
}
