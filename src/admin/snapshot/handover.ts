/** What consoles see of a hand-over to a successor. */

/** States of `src/machines/handover.ts`. */
export type HandoverState = 'idle' | 'starting' | 'switching' | 'draining' | 'done' | 'failed';

/** A hand-over to a successor, `viable upgrade`: how far it is. */
export interface HandoverSnapshot {
  readonly state: HandoverState;
  readonly startedAt: number;
  /** Process id of the successor; `null` before it has one. */
  readonly pid: number | null;
  /** Why it failed. */
  readonly error: string | null;
  /** Legacy sessions that were handed over. */
  readonly sessions: number;
  /** Connections that went over without being closed. */
  readonly sockets: number;
}
