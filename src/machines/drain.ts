/**
 * The drain as an XState machine, without effects: running → draining → closing → stopped, and `force` from any state.
 * The drain actor steps it.
 */
import { initialTransition, setup, type SnapshotFrom, transition } from 'xstate';

export type DrainEvent =
  /** Take no newcomers, tell clients, let work in flight finish. */
  | { readonly type: 'drain' }
  /** Nothing is in flight any more. */
  | { readonly type: 'settled' }
  /** The time is over. */
  | { readonly type: 'expired' }
  /** At once, whatever is in flight. */
  | { readonly type: 'force' };

export const DRAIN_PHASES = ['running', 'draining', 'closing'] as const;
export type DrainPhase = (typeof DRAIN_PHASES)[number];

export const drainMachine = setup({ types: { events: {} as DrainEvent } }).createMachine({
  id: 'drain',
  initial: 'running',
  on: { force: '.closing' },
  states: {
    running: { on: { drain: 'draining' } },
    draining: { on: { settled: 'closing', expired: 'closing' } },
    closing: { type: 'final' },
  },
});

/** The machine, stepped. */
export class DrainStepper {
  #snapshot: SnapshotFrom<typeof drainMachine>;

  constructor() {
    [this.#snapshot] = initialTransition(drainMachine);
  }

  get phase(): DrainPhase {
    return DRAIN_PHASES.find((phase) => this.#snapshot.matches(phase)) ?? 'running';
  }

  /** Steps the machine; true when the phase has changed. */
  send(event: DrainEvent): boolean {
    const before = this.phase;
    [this.#snapshot] = transition(drainMachine, this.#snapshot, event);
    return before !== this.phase;
  }
}
