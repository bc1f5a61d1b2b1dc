/**
 * Whether somebody is in the middle of a click. A browser makes a click of a press and a release on the same element; were
 * that element drawn anew in between, nothing would be clicked.
 */
export class Press {
  #held = false;
  readonly #onRelease: () => void;

  /** @param onRelease called once the click of a press has been dispatched, or there is none. */
  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  get held(): boolean {
    return this.#held;
  }

  start(): void {
    addEventListener('pointerdown', () => (this.#held = true), true);
    for (const end of ['pointerup', 'pointercancel', 'blur']) addEventListener(end, () => this.#release());
    // A release outside of the window, or over a menu of the browser, is not told: the pointer comes back without a button.
    addEventListener('pointermove', ({ buttons }) => {
      if (buttons === 0) this.#release();
    });
    // The space bar presses a button as a pointer does; Enter clicks at once.
    addEventListener('keydown', ({ key }) => {
      if (key === ' ') this.#held = true;
    });
    addEventListener('keyup', ({ key }) => {
      if (key === ' ') this.#release();
    });
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    // The click comes after this event and before the next frame.
    requestAnimationFrame(() => this.#onRelease());
  }
}
