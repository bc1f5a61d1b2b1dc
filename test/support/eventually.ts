/**
 * Waiting for a condition, with an overall deadline and no fixed sleep.
 *
 * Poll only what cannot be awaited (another process's state); where an event exists, await the event.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Overall deadline in milliseconds. Generous: it bounds a failing test, a passing one never reaches it. */
  readonly deadline?: number;
  /** What is being waited for, for the failure's message. */
  readonly what?: string;
}

export const DEFAULT_DEADLINE = 15_000;
const POLL_INTERVAL = 20;

/**
 * Calls `probe` until it returns without throwing, and answers its value. Once the deadline is over, throws the last
 * failure with the description in front.
 */
export async function eventually<T>(probe: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const deadline = options.deadline ?? DEFAULT_DEADLINE;
  const end = performance.now() + deadline;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() >= end) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`not within ${deadline} ms: ${options.what ?? 'condition'}: ${reason}`, { cause: error });
      }
    }
    await delay(POLL_INTERVAL);
  }
}

/** Settles like `promise`, or rejects with `what` once the deadline is over. */
export async function within<T>(promise: Promise<T>, what: string, deadline = DEFAULT_DEADLINE): Promise<T> {
  const timer = new AbortController();
  const expiry = delay(deadline, undefined, { signal: timer.signal }).then(
    () => Promise.reject(new Error(`not within ${deadline} ms: ${what}`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    timer.abort();
  }
}
