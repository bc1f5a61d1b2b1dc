/**
 * The hand-over to a successor as an XState machine, without effects. idle → starting (its process boots, its upstreams
 * connect) → switching (it has the listening socket and takes over the admin socket) → draining (it serves, this process
 * empties itself) → done. What goes wrong before it serves is `failed`, and this process serves on as before.
 */
import { initialTransition, setup, type SnapshotFrom, transition } from 'xstate';

export type HandoverEvent =
  | { readonly type: 'start' }
  /** The successor is ready for the listening socket. */
  | { readonly type: 'prepared' }
  /** It serves. */
  | { readonly type: 'serving' }
  /** It ended, did not get ready in time, or said why it cannot. */
  | { readonly type: 'failed' }
  /** Nothing is left here. */
  | { readonly type: 'drained' };

export const HANDOVER_PHASES = ['idle', 'starting', 'switching', 'draining', 'done', 'failed'] as const;
export type HandoverPhase = (typeof HANDOVER_PHASES)[number];

export const handoverMachine = setup({ types: { events: {} as HandoverEvent } }).createMachine({
  id: 'handover',
  initial: 'idle',
  states: {
    idle: { on: { start: 'starting' } },
    starting: { on: { prepared: 'switching', failed: 'failed' } },
    switching: { on: { serving: 'draining', failed: 'failed' } },
    draining: { on: { drained: 'done' } },
    failed: { on: { start: 'starting' } },
    done: { type: 'final' },
  },
});

/** The machine, stepped. */
export class HandoverStepper {
  #snapshot: SnapshotFrom<typeof handoverMachine>;

  constructor(phase: HandoverPhase = 'idle') {
    [this.#snapshot] = initialTransition(handoverMachine);
    if (phase !== 'idle') this.#snapshot = handoverMachine.resolveState({ value: phase });
  }

  get phase(): HandoverPhase {
    return HANDOVER_PHASES.find((phase) => this.#snapshot.matches(phase)) ?? 'idle';
  }

  /** Steps the machine; true when the phase has changed. */
  send(event: HandoverEvent): boolean {
    const before = this.phase;
    [this.#snapshot] = transition(handoverMachine, this.#snapshot, event);
    return before !== this.phase;
  }
}
