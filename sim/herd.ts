/** A server comes back with many client sessions: when each of them connects to it again, with turns and without. */
import { Coordination, type CoordinationRules } from '#src/vsm/coordination-model.js';
import { seeded } from './random.js';

export interface Arrivals {
  readonly t: number;
  readonly connections: number;
}

const SLICE_MS = 250;

/** Connections in each quarter of a second. All of them learn at once that the server is back. */
export function herd(clients: number, rules: CoordinationRules, seed: number): Arrivals[] {
  const coordination = new Coordination();
  const random = seeded(seed);
  const delays = Array.from({ length: clients }, () => coordination.connectDelay('server', 0, rules, random));
  const slices = Math.ceil((Math.max(...delays) + 1) / SLICE_MS);
  return Array.from({ length: slices }, (_, slice) => ({
    t: (slice * SLICE_MS) / 1_000,
    connections: delays.filter((at) => Math.floor(at / SLICE_MS) === slice).length,
  }));
}
