/**
 * The lifecycle of an upstream as an XState machine, without effects: the upstream actor steps it with `transition` and
 * acts on what has changed (start or end a session, set the retry timer, tell the catalogue).
 *
 * connecting → initializing → ready; each of them → backoff when the session is lost; backoff → connecting when its
 * delay is over or somebody says `reconnect`. `disabled` is left by `enable` alone.
 */
import { assign, initialTransition, setup, type SnapshotFrom, transition } from 'xstate';

export type UpstreamEvent =
  /** Its transport is open; the handshake begins. */
  | { readonly type: 'opened' }
  /** Handshake and first listing are done: it takes calls. */
  | { readonly type: 'ready' }
  /** The session ended or never came to be. `stable`: it had been ready long enough to forgive earlier failures. */
  | { readonly type: 'lost'; readonly stable: boolean }
  /** The backoff is over. */
  | { readonly type: 'retry' }
  /** An operator wants a new session now. */
  | { readonly type: 'reconnect' }
  | { readonly type: 'disable' }
  | { readonly type: 'enable' };

export const UPSTREAM_PHASES = ['connecting', 'initializing', 'ready', 'backoff', 'disabled'] as const;
export type UpstreamPhase = (typeof UPSTREAM_PHASES)[number];

export const upstreamMachine = setup({
  types: { context: {} as { failures: number }, events: {} as UpstreamEvent },
  actions: {
    countFailure: assign({
      failures: ({ context, event }) => (event.type === 'lost' && event.stable ? 1 : context.failures + 1),
    }),
    forgive: assign({ failures: 0 }),
  },
}).createMachine({
  id: 'upstream',
  context: { failures: 0 },
  initial: 'connecting',
  on: { disable: '.disabled' },
  states: {
    connecting: { on: { opened: 'initializing', lost: { target: 'backoff', actions: 'countFailure' } } },
    initializing: {
      on: { ready: 'ready', reconnect: 'connecting', lost: { target: 'backoff', actions: 'countFailure' } },
    },
    ready: { on: { reconnect: 'connecting', lost: { target: 'backoff', actions: 'countFailure' } } },
    backoff: { on: { retry: 'connecting', reconnect: 'connecting' } },
    disabled: { on: { enable: { target: 'connecting', actions: 'forgive' } } },
  },
});

/** The machine, stepped: its snapshot and how to read it. */
export class UpstreamStepper {
  #snapshot: SnapshotFrom<typeof upstreamMachine>;

  constructor(disabled: boolean) {
    [this.#snapshot] = initialTransition(upstreamMachine);
    if (disabled) this.send({ type: 'disable' });
  }

  get phase(): UpstreamPhase {
    return UPSTREAM_PHASES.find((phase) => this.#snapshot.matches(phase)) ?? 'connecting';
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#snapshot.context.failures;
  }

  /** Steps the machine; returns the phase before. An event that means nothing in the phase changes nothing. */
  send(event: UpstreamEvent): UpstreamPhase {
    const before = this.phase;
    [this.#snapshot] = transition(upstreamMachine, this.#snapshot, event);
    return before;
  }
}

/**
 * Full jitter: U(0, min(`max`, `base`·2ⁿ⁻¹)) milliseconds before the attempt after the nth failure in a row.
 * Source: Brooker, "Exponential Backoff and Jitter" (2015).
 */
export function backoffDelay(failures: number, base: number, max: number, random: () => number): number {
  return random() * Math.min(max, base * 2 ** Math.min(Math.max(failures - 1, 0), 30));
}
