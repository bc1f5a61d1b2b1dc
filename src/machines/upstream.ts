/**
 * The lifecycle of an upstream as an XState machine, without effects: the upstream actor steps it with `transition` and
 * acts on what has changed (start or end a session, set the retry timer, tell the catalogue).
 *
 * connecting → initializing → ready, each of them → backoff when the session is lost, backoff → connecting when its
 * delay is over or somebody says `reconnect`. `disabled` only leaves by `enable`.
 */
import { assign, initialTransition, setup, transition } from 'xstate';

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

const lost = {
  target: 'backoff',
  actions: assign({
    failures: ({ context, event }: { context: { failures: number }; event: UpstreamEvent }) =>
      event.type === 'lost' && event.stable ? 1 : context.failures + 1,
  }),
} as const;

export const upstreamMachine = setup({
  types: { context: {} as { failures: number }, events: {} as UpstreamEvent },
}).createMachine({
  id: 'upstream',
  context: { failures: 0 },
  initial: 'connecting',
  on: { disable: '.disabled' },
  states: {
    connecting: { on: { opened: 'initializing', lost } },
    initializing: { on: { ready: 'ready', lost } },
    ready: { on: { lost, reconnect: 'connecting' } },
    backoff: { on: { retry: 'connecting', reconnect: 'connecting' } },
    disabled: { on: { enable: { target: 'connecting', actions: assign({ failures: 0 }) } } },
  },
});

export type UpstreamPhase = 'connecting' | 'initializing' | 'ready' | 'backoff' | 'disabled';

type Snapshot = ReturnType<typeof initialTransition<typeof upstreamMachine>>[0];

/** A machine that is stepped: the snapshot and its reading. */
export class UpstreamStepper {
  #snapshot: Snapshot;

  constructor(disabled: boolean) {
    [this.#snapshot] = initialTransition(upstreamMachine);
    if (disabled) this.send({ type: 'disable' });
  }

  get phase(): UpstreamPhase {
    return this.#snapshot.value;
  }

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

/** Full jitter: U(0, min(`max`, `base`·2ⁿ⁻¹)) milliseconds before the nth attempt (Brooker, "Exponential Backoff and Jitter"). */
export function backoffDelay(failures: number, base: number, max: number, random: () => number): number {
  return random() * Math.min(max, base * 2 ** Math.min(Math.max(failures - 1, 0), 30));
}
