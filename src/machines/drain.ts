/**
 * The drain as an XState machine, without effects: running → lame duck → draining → closing → stopped. `force` closes from
 * any state before that, `cancel` goes back to running until the closing has begun. The same machine for the gateway and
 * for parts of it; the drain actors step it and act on what has changed.
 */
import { assign, initialTransition, setup, type SnapshotFrom, transition } from 'xstate';

export type DrainEvent =
  /** Take it out of service. With `grace` it first goes on accepting while it says that it is not ready. */
  | { readonly type: 'drain'; readonly grace: boolean }
  /** Whoever sends clients here has had the time to notice. */
  | { readonly type: 'grace_over' }
  /** Nothing is left to wait for. */
  | { readonly type: 'settled' }
  /** The time is over. */
  | { readonly type: 'expired' }
  /** At once, whatever is in flight. */
  | { readonly type: 'force' }
  /** An operator has thought better of it. */
  | { readonly type: 'cancel' }
  /** The clients are gone, or their time to go is over. */
  | { readonly type: 'closed' };

export const DRAIN_PHASES = ['running', 'lame_duck', 'draining', 'closing', 'stopped'] as const;
export type DrainPhase = (typeof DRAIN_PHASES)[number];

/** How a drain ended: everything had finished, time was over, it was forced, or called off. */
export type DrainOutcome = 'completed' | 'timed_out' | 'forced' | 'cancelled';

interface DrainContext {
  readonly outcome: DrainOutcome | null;
}

export const drainMachine = setup({
  types: { context: {} as DrainContext, events: {} as DrainEvent },
  guards: { grace: ({ event }) => event.type === 'drain' && event.grace },
  actions: {
    begin: assign({ outcome: null }),
    completed: assign({ outcome: 'completed' }),
    timedOut: assign({ outcome: 'timed_out' }),
    forced: assign({ outcome: 'forced' }),
    cancelled: assign({ outcome: 'cancelled' }),
  },
}).createMachine({
  id: 'drain',
  context: { outcome: null },
  initial: 'running',
  states: {
    running: {
      on: {
        drain: [
          { guard: 'grace', target: 'lame_duck', actions: 'begin' },
          { target: 'draining', actions: 'begin' },
        ],
        force: { target: 'closing', actions: 'forced' },
      },
    },
    lame_duck: {
      on: {
        grace_over: 'draining',
        force: { target: 'closing', actions: 'forced' },
        cancel: { target: 'running', actions: 'cancelled' },
      },
    },
    draining: {
      on: {
        settled: { target: 'closing', actions: 'completed' },
        expired: { target: 'closing', actions: 'timedOut' },
        force: { target: 'closing', actions: 'forced' },
        cancel: { target: 'running', actions: 'cancelled' },
      },
    },
    closing: { on: { closed: 'stopped' } },
    stopped: { type: 'final' },
  },
});

/** The machine, stepped. */
export class DrainStepper {
  #snapshot: SnapshotFrom<typeof drainMachine>;

  /** @param phase where one that was interrupted goes on */
  constructor(phase: DrainPhase = 'running', outcome: DrainOutcome | null = null) {
    [this.#snapshot] = initialTransition(drainMachine);
    if (phase !== 'running') this.#snapshot = drainMachine.resolveState({ value: phase, context: { outcome } });
  }

  get phase(): DrainPhase {
    return DRAIN_PHASES.find((phase) => this.#snapshot.matches(phase)) ?? 'running';
  }

  /** Of this drain, or of the last one; `null` before its end is decided. */
  get outcome(): DrainOutcome | null {
    return this.#snapshot.context.outcome;
  }

  /** Steps the machine; true when the phase has changed. */
  send(event: DrainEvent): boolean {
    const before = this.phase;
    [this.#snapshot] = transition(drainMachine, this.#snapshot, event);
    return before !== this.phase;
  }
}
