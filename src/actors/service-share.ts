/**
 * How much of what clients want goes to upstreams that take no calls. Process-free.
 *
 * 100 when there are upstreams and none takes calls, asked or not; else 100 · D_out / D, where D are the demands of S1's last
 * cycles, those that were kept out included, and D_out those for upstreams whose breaker is open; 0 when there were too few
 * demands to say. What an operator has switched off, drained or opened is not out.
 */
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';
import { type UpstreamView } from './upstream-view.js';

/** Below this many demands a share says nothing. */
const MIN_DEMANDS = 20;

export function outPercent({ gates, viability }: DataPlane, views: ReadonlyMap<string, UpstreamView>): number {
  let wanted = 0;
  let out = 0;
  let demands = 0;
  let unmet = 0;
  for (const [name, gate] of gates) {
    const view = views.get(name);
    if (!view || view.phase === 'disabled' || view.phase === 'stopped' || gate.drainsUntil !== null) continue;
    const cycle = viability.cycles.get(`upstream:${name}`);
    const asked = cycle ? cycle.rate * cycle.seconds : 0;
    const isGone = isOut(gate);
    wanted += 1;
    demands += asked;
    if (!isGone) continue;
    out += 1;
    unmet += asked;
  }
  if (out === 0) return 0;
  if (out === wanted) return 100;
  return demands < MIN_DEMANDS ? 0 : (100 * unmet) / demands;
}

function isOut({ breaker }: UpstreamGate): boolean {
  return breaker.state === 'open' && breaker.cause !== 'operator';
}
