/** What is simulated: each with the subsystem and without it. */
import { type Scenario, type Server } from './engine.js';

const off = (part: string, vsm: object): object => ({ ...vsm, [part]: { enabled: false } });

/** A greedy server and a quiet one on a gateway that has room for neither's worst. */
export function starvation(withS3: boolean): Scenario {
  const servers: Server[] = [
    { name: 'greedy', rate: (t) => (t < 30 ? 20 : 400), serviceTime: () => 0.5, workers: 40 },
    { name: 'quiet', rate: () => 8, serviceTime: () => 0.1, workers: 40 },
  ];
  const vsm = { control: { slots: 60, units: { greedy: { floor: 20 }, quiet: { floor: 20 } } } };
  const s3 = { ...vsm.control, enabled: withS3 };
  return { seed: 3, seconds: 120, servers, vsm: { ...vsm, control: s3 } };
}

/** A load that grows steadily beside one that would take all there is. */
export function growth(withS4: boolean): Scenario {
  const servers: Server[] = [
    { name: 'growing', rate: (t) => Math.max(5, 5 + (t - 60) * 1.5), serviceTime: () => 0.4, workers: 400 },
    { name: 'steady', rate: () => 400, serviceTime: () => 0.4, workers: 400 },
  ];
  const vsm = {
    control: { slots: 120, headroom: 0.1, units: { growing: { floor: 10 }, steady: { floor: 10 } } },
    intelligence: { horizon: 2 },
  };
  return { seed: 4, seconds: 120, servers, vsm: withS4 ? vsm : off('intelligence', vsm) };
}

/** Guests ask for more than there is while the heap is at its end; members have work to do. */
export function agony(withS5: boolean): Scenario {
  const servers: Server[] = [
    { name: 'guests', rate: () => 60, serviceTime: () => 0.5, workers: 60, role: 'guest' },
    { name: 'members', rate: () => 20, serviceTime: () => 0.2, workers: 60 },
  ];
  const vsm = { policy: { enabled: withS5 } };
  const each: NonNullable<Scenario['each']> = (t, plane) =>
    plane.algedonic.report({
      source: 'process',
      index: 'heap_percent',
      // What guests have in flight is what fills it.
      value: t < 40 ? 20 : Math.min(99, 70 + (plane.gates.get('guests')?.inFlight ?? 0)),
      pain: 80,
      agony: 95,
      message: 'the heap is at its end',
    });
  return { seed: 5, seconds: 160, servers, vsm, each };
}

/** A server that begins to fail and to hang, and comes back. */
export function failure(viable: boolean): Scenario {
  const sick = (t: number): boolean => t >= 60 && t < 120;
  const servers: Server[] = [
    {
      name: 'sick',
      rate: () => 60,
      serviceTime: (t) => (sick(t) ? 8 : 0.1),
      workers: 400,
      failing: (t) => (sick(t) ? 0.9 : 0),
    },
    { name: 'well', rate: () => 40, serviceTime: () => 0.2, workers: 100 },
  ];
  const control = { slots: 120, units: { sick: { floor: 30 }, well: { floor: 30 } } };
  return { seed: 6, seconds: 240, servers, vsm: viable ? { control } : { enabled: false, control } };
}
