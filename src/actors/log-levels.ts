/**
 * The levels of log messages that clients have asked for, and how many of each: plain memory, written by the client
 * sessions. Upstreams send from the most verbose of them on, and from a level that nobody wants any more no longer.
 */
import { LOG_LEVELS, type LogLevel } from '../protocol/methods.js';

export class LogLevels {
  readonly #clients = new Map<LogLevel, number>();

  /** A client that wanted `before` wants `after` now; `null`: it has asked for none, or is gone. */
  change(before: LogLevel | null, after: LogLevel | null): void {
    if (before !== null) this.#clients.set(before, (this.#clients.get(before) ?? 0) - 1);
    if (after !== null) this.#clients.set(after, (this.#clients.get(after) ?? 0) + 1);
  }

  /** `null`: no client asks for one. */
  get mostVerbose(): LogLevel | null {
    return LOG_LEVELS.find((level) => (this.#clients.get(level) ?? 0) > 0) ?? null;
  }
}
