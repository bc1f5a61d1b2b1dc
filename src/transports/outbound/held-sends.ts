/**
 * Holds messages back until the server has accepted `notifications/initialized`.
 *
 * Each POST travels on a connection of its own, so a request sent right behind that notification may arrive before it,
 * and servers that keep the lifecycle's order (MCP specification, "Lifecycle › Initialization") refuse it then.
 */
export const INITIALIZED = 'notifications/initialized';

export class HeldSends {
  #held: (() => void)[] | undefined;

  /** From now on `run` holds. */
  begin(): void {
    this.#held ??= [];
  }

  /** Runs `action` now, or when `release` is called. */
  run(action: () => void): void {
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }

  /** Runs what is held, in order. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const action of held ?? []) action();
  }

  /** Forgets what is held. */
  clear(): void {
    this.#held = undefined;
  }
}
