/**
 * A circuit breaker as an XState machine, without effects: the breaker actor steps it and publishes what it says.
 *
 * closed → open, when too many calls fail in a row or too large a part of those in the window, or when the server cannot
 * be reached; open → half-open when its hold is over; half-open → closed or open by the outcome of one probe. `forced` is
 * open until an operator says otherwise. The hold doubles with each probe that fails; S2 may have it held for longer.
 *
 * Time comes with each event, so that equal events make equal breakers. Source: Nygard, "Release It!", "Circuit Breaker".
 */
import { assign, initialTransition, setup, type SnapshotFrom, transition } from 'xstate';

export interface BreakerRules {
  /** Off: it never opens by itself; an operator still can open it. */
  readonly enabled: boolean;
  /** Failures in a row that open it; 0: none do. */
  readonly consecutiveFailures: number;
  /** Part of the calls in the window whose failure opens it, above 0 and up to 1. */
  readonly failureRatio: number;
  /** Fewer calls in the window say nothing about the ratio. */
  readonly minimumSamples: number;
  /** Milliseconds. */
  readonly window: number;
  /** The first hold, milliseconds. */
  readonly openFor: number;
  /** The longest hold, unless it is held for longer; milliseconds. */
  readonly maxOpenFor: number;
}

export type BreakerCause = 'failures' | 'unreachable' | 'operator';

/** An event without its time. */
export type BreakerInput =
  /** Calls that ended since the last time. `consecutive`: failures in a row, up to now. */
  | { readonly type: 'observed'; readonly succeeded: number; readonly failed: number; readonly consecutive: number }
  /** A call has taken the probe token. */
  | { readonly type: 'probe_sent' }
  | { readonly type: 'probe_succeeded' }
  | { readonly type: 'probe_failed' }
  /** Nobody learnt how the probe ended: its client gave up. The token is free again. */
  | { readonly type: 'probe_lost' }
  /** The server could not be reached. */
  | { readonly type: 'unreachable' }
  /** It could: a session with it is ready. */
  | { readonly type: 'reachable' }
  /** The hold may be over. */
  | { readonly type: 'expired' }
  /** It has just opened and is to be held for at least this long, milliseconds. */
  | { readonly type: 'held'; readonly forMs: number }
  /** Operator: open, until told otherwise. */
  | { readonly type: 'force_open' }
  /** Operator: let one probe through now. */
  | { readonly type: 'try' }
  /** Operator: closed, as if nothing had ever happened. */
  | { readonly type: 'reset' }
  | { readonly type: 'configured'; readonly rules: BreakerRules };

/** `now`: milliseconds since the Unix epoch; never goes back. */
export type BreakerEvent = BreakerInput & { readonly now: number };

/** Calls of one part of the window. */
export interface WindowSlice {
  /** Its number since the epoch, in tenths of the window. */
  readonly index: number;
  readonly succeeded: number;
  readonly failed: number;
}

export interface BreakerContext {
  readonly rules: BreakerRules;
  /** Oldest first; at most `SLICES`. */
  readonly window: readonly WindowSlice[];
  readonly consecutive: number;
  /** Why it is not closed. */
  readonly cause: BreakerCause | null;
  readonly reachable: boolean;
  /** Holds in a row; the next is longer. */
  readonly holds: number;
  /** How often it has opened. */
  readonly opens: number;
  /** End of the hold; `null` while there is none. */
  readonly until: number | null;
}

const SLICES = 10;

function sliceOf(now: number, window: number): number {
  return Math.floor((now * SLICES) / window);
}

/** The calls of the window that ends now. */
export function samplesOf({ window, rules }: BreakerContext, now: number): { samples: number; failures: number } {
  const oldest = sliceOf(now, rules.window) - SLICES;
  let samples = 0;
  let failures = 0;
  for (const { index, succeeded, failed } of window) {
    if (index <= oldest) continue;
    samples += succeeded + failed;
    failures += failed;
  }
  return { samples, failures };
}

function folded(context: BreakerContext, event: BreakerEvent): BreakerContext {
  if (event.type !== 'observed') return context;
  const { succeeded, failed, consecutive, now } = event;
  if (succeeded + failed === 0) return { ...context, consecutive };
  const index = sliceOf(now, context.rules.window);
  const kept = context.window.filter((slice) => slice.index > index - SLICES);
  const last = kept.at(-1);
  const window =
    last?.index === index
      ? [...kept.slice(0, -1), { index, succeeded: last.succeeded + succeeded, failed: last.failed + failed }]
      : [...kept, { index, succeeded, failed }];
  return { ...context, window, consecutive };
}

function trips(context: BreakerContext, event: BreakerEvent): boolean {
  const { enabled, consecutiveFailures, failureRatio, minimumSamples } = context.rules;
  if (!enabled) return false;
  const next = folded(context, event);
  if (consecutiveFailures > 0 && next.consecutive >= consecutiveFailures) return true;
  const { samples, failures } = samplesOf(next, event.now);
  return samples >= minimumSamples && failures > 0 && failures / samples >= failureRatio;
}

/** Open, with the hold that its past has earned it. */
function opened(context: BreakerContext, now: number, cause: BreakerCause): BreakerContext {
  const { openFor, maxOpenFor } = context.rules;
  // A server that could not be reached is let in when it can: the handshake was the probe.
  const hold = Math.min(maxOpenFor, openFor * 2 ** Math.min(context.holds, 30));
  const until = cause === 'unreachable' ? null : now + hold;
  return { ...context, cause, until, holds: context.holds + 1, opens: context.opens + 1 };
}

function held(context: BreakerContext, event: BreakerEvent): BreakerContext {
  if (event.type !== 'held' || event.forMs <= 0) return context;
  return { ...context, until: Math.max(context.until ?? 0, event.now + event.forMs) };
}

const NOTHING_COUNTED = { window: [], consecutive: 0, cause: null, holds: 0, until: null } as const;

function configured(context: BreakerContext, event: BreakerEvent): BreakerContext {
  if (event.type !== 'configured') return context;
  const { rules } = event;
  // Slices of another length say nothing about this window.
  return { ...context, rules, window: rules.window === context.rules.window ? context.window : [] };
}

function isOver({ until }: BreakerContext, now: number): boolean {
  return until === null || now >= until;
}

export const breakerMachine = setup({
  types: { context: {} as BreakerContext, events: {} as BreakerEvent, input: {} as BreakerRules },
  guards: {
    trips: ({ context, event }) => trips(context, event),
    enabled: ({ context }) => context.rules.enabled,
    due: ({ context, event }) => context.reachable && context.until !== null && isOver(context, event.now),
    back: ({ context, event }) => context.cause === 'unreachable' && isOver(context, event.now),
    over: ({ context, event }) => isOver(context, event.now),
  },
  actions: {
    fold: assign(({ context, event }) => folded(context, event)),
    tripped: assign(({ context, event }) => opened(folded(context, event), event.now, 'failures')),
    away: assign({ reachable: false }),
    here: assign({ reachable: true }),
    lost: assign(({ context, event }) => opened(context, event.now, 'unreachable')),
    failedAgain: assign(({ context, event }) => opened(context, event.now, 'failures')),
    close: assign({ ...NOTHING_COUNTED }),
    hold: assign(({ context, event }) => held(context, event)),
    force: assign({ cause: 'operator', until: null }),
    trial: assign(({ context }) => ({ cause: context.cause ?? ('operator' as const) })),
    holdIsOver: assign({ until: null }),
    configure: assign(({ context, event }) => configured(context, event)),
  },
}).createMachine({
  id: 'breaker',
  context: ({ input }) => ({ rules: input, reachable: true, opens: 0, ...NOTHING_COUNTED }),
  initial: 'closed',
  on: {
    force_open: { target: '.forced', actions: 'force' },
    try: { target: '.half_open', actions: 'trial' },
    reset: { target: '.closed', actions: 'close' },
    configured: { actions: 'configure' },
    reachable: { actions: 'here' },
    unreachable: { actions: 'away' },
  },
  states: {
    closed: {
      on: {
        observed: [{ guard: 'trips', target: 'open', actions: 'tripped' }, { actions: 'fold' }],
        unreachable: [{ guard: 'enabled', target: 'open', actions: ['away', 'lost'] }, { actions: 'away' }],
      },
    },
    open: {
      on: {
        expired: { guard: 'due', target: 'half_open' },
        held: { actions: 'hold' },
        reachable: [
          { guard: 'back', target: 'closed', actions: ['here', 'close'] },
          { guard: 'over', target: 'half_open', actions: 'here' },
          { actions: 'here' },
        ],
      },
    },
    half_open: {
      initial: 'free',
      entry: 'holdIsOver',
      on: { unreachable: { target: 'open', actions: ['away', 'lost'] } },
      states: {
        free: { on: { probe_sent: 'probing' } },
        probing: {
          on: {
            probe_lost: 'free',
            probe_succeeded: { target: '#breaker.closed', actions: 'close' },
            probe_failed: { target: '#breaker.open', actions: 'failedAgain' },
          },
        },
      },
    },
    forced: {},
  },
});

export const BREAKER_PHASES = ['closed', 'open', 'free', 'probing', 'forced'] as const;
/** `free` and `probing` are half-open: without and with a probe on its way. */
export type BreakerPhase = (typeof BREAKER_PHASES)[number];

/** All that a breaker knows, to be kept where a crash of its actor does not reach. */
export interface BreakerMemory {
  readonly phase: BreakerPhase;
  readonly context: BreakerContext;
}

const VALUES = {
  closed: 'closed',
  open: 'open',
  forced: 'forced',
  free: { half_open: 'free' },
  probing: { half_open: 'probing' },
} as const;

/** The machine, stepped. */
export class BreakerStepper {
  #snapshot: SnapshotFrom<typeof breakerMachine>;

  constructor(rules: BreakerRules, memory: BreakerMemory | null = null) {
    if (memory === null) [this.#snapshot] = initialTransition(breakerMachine, rules);
    else this.#snapshot = breakerMachine.resolveState({ value: VALUES[memory.phase], context: memory.context });
  }

  get phase(): BreakerPhase {
    return BREAKER_PHASES.find((phase) => this.#snapshot.matches(VALUES[phase])) ?? 'closed';
  }

  get context(): BreakerContext {
    return this.#snapshot.context;
  }

  get memory(): BreakerMemory {
    return { phase: this.phase, context: this.context };
  }

  /** Steps the machine; returns the phase before. An event that means nothing in the phase changes nothing. */
  send(event: BreakerEvent): BreakerPhase {
    const before = this.phase;
    [this.#snapshot] = transition(breakerMachine, this.#snapshot, event);
    return before;
  }
}
