/** Ties S2 to the breakers: who may probe now, and how much each has gone to and fro. */
import { type BreakerGate } from '../actors/breaker-gate.js';
import { type DataPlane } from '../actors/data-plane.js';
import { type Clock } from '../kernel/index.js';
import { penaltyNow, suppressedNow } from '../machines/flap.js';
import { type Penalty } from '../vsm/coordination-model.js';

export function tieCoordination(plane: DataPlane, clock: Clock): void {
  const { coordination } = plane.viability;
  const isHalfOpen = (name: string): boolean => breakerOf(plane, name)?.state === 'half_open';
  plane.mayProbe = (name) => {
    const { enabled, coordination: rules } = plane.options.vsm;
    return !enabled || coordination.takeProbe(name, clock.now(), rules, isHalfOpen);
  };
  coordination.penalties = (now) => penalties(plane, now);
}

function breakerOf(plane: DataPlane, name: string): BreakerGate | undefined {
  return plane.gates.get(name)?.breaker ?? [...transports(plane)].find(([transport]) => transport === name)?.[1];
}

function* transports({ breakers }: DataPlane): Iterable<[string, BreakerGate]> {
  for (const [transport, breaker] of Object.entries(breakers)) yield [`transport:${transport}`, breaker];
}

function* penalties(plane: DataPlane, now: number): Iterable<Penalty> {
  const all = [...[...plane.gates.values()].map(({ breaker }) => breaker), ...Object.values(plane.breakers)];
  for (const { memory } of all) {
    if (memory === null) continue;
    const { flap, rules } = memory.context;
    yield { penalty: penaltyNow(flap, now, rules.flap), suppressed: suppressedNow(flap, now, rules.flap) };
  }
}
