/** What consoles see of a breaker, put together from its gate without asking anybody. */
import { type BreakerSnapshot, type BreakerState, type ClientTransport } from '../admin/protocol.js';
import { type BreakerPhase, samplesOf } from '../machines/breaker.js';
import { type Penalty } from '../vsm/coordination-model.js';
import { type BreakerGate } from './breaker-gate.js';
import { transportBreaker, upstreamBreaker } from './names.js';

/** Whose breaker it is. */
export interface BreakerUnit {
  readonly kind: 'upstream' | 'transport';
  /** As people say it: the upstream's name, or `transport:http`. */
  readonly name: string;
  /** Path of the breaker's actor. */
  readonly actor: string;
}

export function upstreamUnit(name: string): BreakerUnit {
  return { kind: 'upstream', name, actor: upstreamBreaker(name).path };
}

export function transportUnit(transport: ClientTransport): BreakerUnit {
  return { kind: 'transport', name: `transport:${transport}`, actor: transportBreaker(transport).path };
}

export const BREAKER_STATES: Readonly<Record<BreakerPhase, BreakerState>> = {
  closed: 'closed',
  open: 'open',
  forced: 'open',
  free: 'half_open',
  probing: 'half_open',
};

/** The source of its readings: `upstream:github`, `transport:http`. */
export function breakerSource({ kind, name }: BreakerUnit): string {
  return kind === 'upstream' ? `upstream:${name}` : name;
}

/** `flap`: S2's word on it. `retryAt`: when the unit is tried next, where it is away. */
export function breakerSnapshot(
  unit: BreakerUnit,
  gate: BreakerGate,
  flap: Penalty,
  now: number,
  retryAt: number | null = null,
): BreakerSnapshot {
  const { memory } = gate;
  const { samples, failures } = memory ? samplesOf(memory.context, now) : { samples: 0, failures: 0 };
  const context = memory?.context;
  return {
    ...unit,
    state: gate.state,
    since: gate.since,
    cause: gate.cause,
    forced: memory?.phase === 'forced',
    probing: memory?.phase === 'probing',
    nextProbeAt: gate.state === 'open' ? (gate.until ?? (gate.cause === 'unreachable' ? retryAt : null)) : null,
    consecutiveFailures: gate.consecutive,
    samples,
    failures,
    failureRatio: samples === 0 ? null : failures / samples,
    opens: context?.opens ?? 0,
    refused: gate.refused,
    flapPenalty: flap.penalty,
    suppressed: flap.suppressed,
    history: [...gate.history],
  };
}
