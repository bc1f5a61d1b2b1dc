/** The figures of S1 to S5, as metrics. Their formulas: `src/admin/snapshot/figures.ts`. */
import { type VsmSnapshot } from '../../admin/snapshot/vsm.js';
import { type Figure, one, oneHot, type Sample } from './definition.js';

const UNIT = 'viable.unit';
const STATUSES: readonly VsmSnapshot['coordination']['status'][] = ['idle', 'coordinating', 'damping'];

export const VSM_FIGURES: readonly Figure[] = [
  single(
    's1.variety_absorption',
    'gauge',
    '1',
    'S1: of each kind of demand the part absorbed, every kind alike.',
    (vsm) => vsm.operations.varietyAbsorption,
  ),
  single(
    's1.absorption_rate',
    'gauge',
    '{demand}/s',
    'S1: demands absorbed in a second.',
    (vsm) => vsm.operations.absorptionRate,
  ),
  single(
    's1.volume',
    'gauge',
    '1',
    'S1: of all demands, the part that was absorbed.',
    (vsm) => vsm.operations.volumeRatio,
  ),
  single(
    's1.kinds',
    'gauge',
    '{kind}',
    'S1: kinds of demand (method, tool, role) in the last minute.',
    (vsm) => vsm.operations.kinds,
  ),
  single(
    's1.demands',
    'gauge',
    '{demand}',
    'S1: demands that ended in the last minute.',
    (vsm) => vsm.operations.demands,
  ),
  unitFigure('s1.unit.rate', '{demand}/s', 'Demands on the unit in its last cycle.', (unit) => unit.rate),
  unitFigure(
    's1.unit.service_time',
    's',
    'Mean time of what ended in the unit’s last cycle.',
    (unit) => unit.serviceTime,
  ),
  unitFigure('s1.unit.p95', 's', '95th percentile of the same.', ({ p95 }) => (p95 === null ? null : p95 / 1_000)),
  unitFigure(
    's1.unit.failures',
    '1',
    'Of what ended in the unit’s last cycle, the part that failed.',
    (unit) => unit.failureRatio,
  ),
  unitFigure(
    's1.unit.in_flight',
    '{demand}',
    'Demands in flight at the end of the unit’s last cycle.',
    (unit) => unit.inFlight,
  ),
  unitFigure('s1.unit.attenuated', '{demand}', 'Demands kept out in the unit’s last cycle.', (unit) => unit.attenuated),
  {
    name: 'viable.s2.status',
    kind: 'gauge',
    unit: '{status}',
    description: 'S2: 1 for idle, coordinating or damping.',
    attributes: ['status'],
    read: ({ vsm }) => oneHot('status', STATUSES, vsm.coordination.status),
  },
  single('s2.penalty', 'gauge', '{reversal}', 'S2: the highest flap penalty.', (vsm) => vsm.coordination.maxPenalty),
  single(
    's2.delays',
    'counter',
    '{connection}',
    'S2: connections that waited for their turn.',
    (vsm) => vsm.coordination.delays,
  ),
  single(
    's2.coalesced',
    'counter',
    '{request}',
    'S2: reads answered with another’s answer.',
    (vsm) => vsm.coordination.coalesced,
  ),
  single(
    's2.tokens_refused',
    'counter',
    '{probe}',
    'S2: probes that found no token.',
    (vsm) => vsm.coordination.tokensRefused,
  ),
  single('s3.usage', 'gauge', '%', 'S3: of the resource that is nearest its limit.', (vsm) => vsm.control.usage),
  {
    name: 'viable.s3.resource_usage',
    kind: 'gauge',
    unit: '%',
    description: 'S3: mean of ten seconds of each resource.',
    attributes: ['resource'],
    read: ({ vsm }) =>
      vsm.control.resources.flatMap(({ resource, percent }) =>
        percent === null ? [] : [{ value: percent, attributes: { resource } }],
      ),
  },
  leaseFigure('slots', '{call}', 'S3: calls in flight that the lease allows.', (lease) => lease.slots),
  leaseFigure('floor', '{call}', 'S3: what the lease falls to when it expires.', (lease) => lease.floor),
  leaseFigure('rate', '{call}/s', 'S3: calls a second that the lease allows.', (lease) => lease.rps),
  leaseFigure('in_flight', '{call}', 'S3: calls in flight under the lease.', (lease) => lease.inFlight),
  leaseFigure('expires', 's', 'S3: Unix time at which the lease expires.', (lease) => lease.expiresAt / 1_000),
  single(
    's3.drain_steps',
    'counter',
    '{step}',
    'S3: steps of drains that it was told of.',
    (vsm) => vsm.control.drainSteps,
  ),
  single('s3star.audits', 'counter', '{audit}', 'S3*: direct looks.', (vsm) => vsm.audit.total),
  {
    name: 'viable.s3star.discrepancies',
    kind: 'gauge',
    unit: '{discrepancy}',
    description: 'S3*: of the last looks, by unit.',
    attributes: [UNIT],
    read: ({ vsm }) => {
      const found = new Map<string, number>();
      for (const { unit, discrepancies } of vsm.audit.findings)
        found.set(unit, (found.get(unit) ?? 0) + discrepancies.length);
      return [...found].map(([unit, value]) => ({ value, attributes: { [UNIT]: unit } }));
    },
  },
  single(
    's4.events',
    'counter',
    '{event}',
    'S4: anomalies, forecasts beyond a limit, changes outside.',
    (vsm) => vsm.intelligence.eventsTotal,
  ),
  single(
    's4.events_5m',
    'gauge',
    '{event}',
    'S4: the same in the last five minutes.',
    (vsm) => vsm.intelligence.eventsIn5Minutes,
  ),
  {
    name: 'viable.s4.skill',
    kind: 'gauge',
    unit: '1',
    description: 'S4: 1 − MAE/MAE_naive of the forecasts of a unit’s rate. At 0 and below S3 ignores them.',
    attributes: [UNIT],
    read: ({ vsm }) =>
      vsm.intelligence.skills.flatMap(({ unit, skill }) =>
        skill === null ? [] : [{ value: skill, attributes: { [UNIT]: unit } }],
      ),
  },
  single(
    's5.attempts',
    'counter',
    '{attempt}',
    'S5: attempts of clients that policy denied.',
    (vsm) => vsm.violations.attemptsTotal,
  ),
  single(
    's5.attempts_5m',
    'gauge',
    '{attempt}',
    'S5: the same in the last five minutes.',
    (vsm) => vsm.violations.attemptsIn5Minutes,
  ),
  single(
    's5.breaches',
    'counter',
    '{breach}',
    'S5: breaches of the gateway’s own invariants. Any is an alarm.',
    (vsm) => vsm.violations.breachesTotal,
  ),
  single(
    's5.breaches_5m',
    'gauge',
    '{breach}',
    'S5: the same in the last five minutes.',
    (vsm) => vsm.violations.breachesIn5Minutes,
  ),
];

function single(
  name: string,
  kind: 'counter' | 'gauge',
  unit: string,
  description: string,
  read: (vsm: VsmSnapshot) => number | null,
): Figure {
  return { name: `viable.${name}`, kind, unit, description, attributes: [], read: ({ vsm }) => one(read(vsm)) };
}

function unitFigure(
  name: string,
  unit: string,
  description: string,
  read: (unit: VsmSnapshot['operations']['units'][number]) => number | null,
): Figure {
  const samples = (vsm: VsmSnapshot): Sample[] => vsm.operations.units.flatMap((one) => labelled(one.unit, read(one)));
  return {
    name: `viable.${name}`,
    kind: 'gauge',
    unit,
    description,
    attributes: [UNIT],
    read: ({ vsm }) => samples(vsm),
  };
}

function leaseFigure(
  name: string,
  unit: string,
  description: string,
  read: (lease: VsmSnapshot['control']['leases'][number]) => number | null,
): Figure {
  const samples = (vsm: VsmSnapshot): Sample[] => vsm.control.leases.flatMap((one) => labelled(one.unit, read(one)));
  return {
    name: `viable.s3.lease.${name}`,
    kind: 'gauge',
    unit,
    description,
    attributes: [UNIT],
    read: ({ vsm }) => samples(vsm),
  };
}

function labelled(unit: string, value: number | null): Sample[] {
  return value === null ? [] : [{ value, attributes: { [UNIT]: unit } }];
}
