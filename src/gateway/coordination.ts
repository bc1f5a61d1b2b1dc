/** Tells S2 how much each breaker has gone to and fro: it reads that off their memory. */
import { type DataPlane } from '../actors/data-plane.js';
import { penaltyNow, suppressedNow } from '../machines/flap.js';
import { type Penalty } from '../vsm/coordination-model.js';

export function tieCoordination(plane: DataPlane): void {
  plane.viability.coordination.penalties = (now) => penalties(plane, now);
}

function* penalties(plane: DataPlane, now: number): Iterable<Penalty> {
  const all = [...[...plane.gates.values()].map(({ breaker }) => breaker), ...Object.values(plane.breakers)];
  for (const { memory } of all) {
    if (memory === null) continue;
    const { flap, rules } = memory.context;
    yield { penalty: penaltyNow(flap, now, rules.flap), suppressed: suppressedNow(flap, now, rules.flap) };
  }
}
