/** What consoles see of the viable system, put together from its memory without asking anybody. */
import {
  type AlarmsSnapshot,
  type ControlSnapshot,
  type UnitSnapshot,
  type VsmSnapshot,
} from '../admin/snapshot/vsm.js';
import { type DataPlane } from './data-plane.js';

const FIVE_MINUTES = 300_000;
/** Findings and events that are shown. */
const SHOWN = 20;

export function alarmsSnapshot({ viability }: DataPlane): AlarmsSnapshot {
  return {
    active: viability.alarms.active(),
    history: viability.alarms.history(),
    lastResort: viability.lastResort.all(),
    overflow: viability.alarms.overflow + viability.readings.dropped,
  };
}

export function vsmSnapshot(plane: DataPlane, now: number): VsmSnapshot {
  const { viability } = plane;
  const { coordination, events, attempts, breaches } = viability;
  const { delays, coalesced, tokensRefused } = coordination;
  return {
    operations: { ...viability.operations.figures(), units: units(plane) },
    coordination: { ...coordination.status(now), delays, coalesced, tokensRefused },
    control: controlSnapshot(plane),
    audit: { total: viability.audits, findings: viability.findings.slice(-SHOWN).reverse() },
    intelligence: {
      eventsIn5Minutes: events.within(now, FIVE_MINUTES),
      eventsTotal: events.total,
      recent: events.recent.slice(0, SHOWN),
      skills: [...viability.skills].map(([unit, skill]) => ({ unit, skill })),
    },
    policy: viability.policy,
    violations: {
      attemptsIn5Minutes: attempts.within(now),
      attemptsTotal: attempts.total,
      breachesIn5Minutes: breaches.within(now),
      breachesTotal: breaches.total,
    },
  };
}

function units({ viability }: DataPlane): UnitSnapshot[] {
  return [...viability.cycles.values()].map(({ unit, rate, serviceTime, p95, failureRatio, inFlight, attenuated }) => ({
    unit,
    rate,
    serviceTime,
    p95,
    failureRatio,
    inFlight,
    attenuated,
  }));
}

function controlSnapshot({ viability, gates }: DataPlane): ControlSnapshot {
  return {
    usage: viability.usage.usage(),
    resources: viability.usage.resources(),
    leases: [...gates.values()].flatMap(({ name, inFlight, allowance: { lease } }) =>
      lease === null
        ? []
        : [
            {
              unit: `upstream:${name}`,
              slots: lease.slots,
              rps: lease.rps,
              floor: lease.floor.slots,
              inFlight,
              expiresAt: lease.expiresAt,
            },
          ],
    ),
    drainSteps: viability.drainSteps,
  };
}
