/**
 * What a cell holds that must end with it: its abort signal, its timers, the monitors it set. Made when first needed, so
 * that an idle connection's cell carries none.
 */
import { type MonitorHandle } from './child-spec.js';
import { type Clock, type TimerHandle } from './clock.js';

type Cancel = { cancel(): void };

export class Belongings {
  /** Made when somebody asks: to abort one costs more than all else that a short connection's end takes. */
  #abort: AbortController | null = null;
  #stopped = false;
  readonly #timers = new Set<TimerHandle>();
  readonly #monitors = new Set<MonitorHandle>();

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Calls `fire` once after `ms` milliseconds, unless the cell stops first. */
  timer(clock: Clock, ms: number, fire: () => void): TimerHandle {
    return own(this.#timers, (done) =>
      clock.after(ms, () => {
        done();
        fire();
      }),
    );
  }

  /** Keeps what `watch` set up; it calls `done` when it has nothing more to tell. */
  monitor(watch: (done: () => void) => MonitorHandle): MonitorHandle {
    return own(this.#monitors, watch);
  }

  /** The cell begins to stop: its signal aborts, its timers are off. */
  stop(): void {
    this.#stopped = true;
    this.#abort?.abort();
    for (const timer of this.#timers) timer.cancel();
  }

  /** The cell has exited. */
  release(): void {
    this.stop();
    for (const monitor of this.#monitors) monitor.cancel();
  }
}

function own(held: Set<Cancel>, create: (done: () => void) => Cancel): Cancel {
  const inner = create(() => held.delete(handle));
  const handle: Cancel = {
    cancel: () => {
      held.delete(handle);
      inner.cancel();
    },
  };
  held.add(handle);
  return handle;
}
