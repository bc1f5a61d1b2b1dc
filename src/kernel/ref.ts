/**
 * References and exit reasons: what actors know of each other.
 */

/** `ok`: it will be handled unless the actor exits first. `full`: refused, its lane is at its bound. `noproc`: exited. */
export type SendResult = 'ok' | 'full' | 'noproc';

declare const accepts: unique symbol;

/**
 * A typed address of one incarnation of an actor. A restarted actor has a new one: a reference kept from before answers
 * `noproc`. Address by name (`ActorName`) to reach whoever lives now.
 */
export interface Ref<in M> {
  readonly [accepts]?: (message: M) => void;
  /** Path from the root of the tree, `/operations/catalogue`. */
  readonly path: string;
  /** Grows by one with each start of an actor at this path. */
  readonly incarnation: number;
  readonly alive: boolean;
  /** Messages that wait in its normal lane. */
  readonly backlog: number;
  /** Normal lane. */
  tell(message: M): SendResult;
  /** Urgent lane: overtakes everything that waits in the normal lane. For alarms, exits, cancels and admin messages. */
  urgent(message: M): SendResult;
  /**
   * Normal lane, past its bound: for an answer that the receiver asked for. The receiver bounds how many it has
   * outstanding, so nothing grows without limit and no answer is lost.
   */
  answer(message: M): SendResult;
  /**
   * For the actor's own I/O callbacks only: handled at once, in this call, when the actor is idle and nothing waits;
   * otherwise as `tell`. Order and one-at-a-time hold either way; an idle actor's message costs no turn.
   */
  accept(message: M): SendResult;
}

/** A typed registered name: the path of an actor whose messages are `M`. */
export interface ActorName<in M> {
  readonly [accepts]?: (message: M) => void;
  readonly path: string;
}

export function actorName<M>(path: string): ActorName<M> {
  return { path };
}

/** Why an actor ended. `normal` and `shutdown` are expected; the rest is abnormal and restarts a transient child. */
export type ExitReason =
  | { readonly type: 'normal' }
  | { readonly type: 'shutdown' }
  | { readonly type: 'killed' }
  | { readonly type: 'fault'; readonly error: Error }
  | { readonly type: 'intensity'; readonly restarts: number; readonly withinMs: number }
  | { readonly type: 'start_failed'; readonly error: Error };

export const NORMAL: ExitReason = { type: 'normal' };
export const SHUTDOWN: ExitReason = { type: 'shutdown' };
export const KILLED: ExitReason = { type: 'killed' };

export function isAbnormal(reason: ExitReason): boolean {
  return reason.type !== 'normal' && reason.type !== 'shutdown';
}

/** One line for people. */
export function describeExit(reason: ExitReason): string {
  switch (reason.type) {
    case 'normal':
    case 'shutdown':
    case 'killed':
      return reason.type;
    case 'fault':
      return `fault: ${reason.error.message}`;
    case 'intensity':
      return `restart intensity exceeded: ${reason.restarts} restarts within ${reason.withinMs} ms`;
    case 'start_failed':
      return `start failed: ${reason.error.message}`;
    default:
      return absurd(reason);
  }
}

/** Ends an exhaustive `switch`: a value that the types rule out is a defect. */
export function absurd(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

export function toError(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  try {
    return new Error(String(cause), { cause });
  } catch {
    return new Error('a thrown value that has no string form', { cause });
  }
}
