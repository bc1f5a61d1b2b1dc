/** A viable system that hurts in one place, noted by somebody whose name is hostile. */
import type { AlarmsSnapshot, VsmSnapshot } from '#src/admin/snapshot/vsm.js';
import { FAKE_NOW, HOSTILE } from './instant.js';

const MINUTE = 60_000;

export function fakeAlarms(): AlarmsSnapshot {
  const alarm = {
    id: 7,
    source: 'upstream:tickets',
    index: 'down_ms',
    value: 95_000,
    pain: 15_000,
    agony: 100_000,
    intensity: 0.94,
    severity: 'high',
    message: 'upstream "tickets" is away since 95 s',
    raisedAt: FAKE_NOW - 2 * MINUTE,
    stage: 'operator',
    stageSince: FAKE_NOW - MINUTE,
    acknowledged: { by: `operator${HOSTILE}`, at: FAKE_NOW - MINUTE },
    count: 80,
    peak: 95_000,
    calm: 0,
  } as const;
  return {
    active: [
      alarm,
      { ...alarm, id: 8, source: `transport:${HOSTILE}`, index: 'error_percent', severity: 'low', acknowledged: null },
    ],
    history: [
      {
        id: 5,
        kind: 'pain',
        source: 'process',
        index: 'loop_delay_ms',
        message: 'the event loop is late by 140 ms',
        peak: 140,
        severity: 'low',
        stage: 'control',
        acknowledgedBy: null,
        raisedAt: FAKE_NOW - 40 * MINUTE,
        endedAt: FAKE_NOW - 39 * MINUTE,
      },
    ],
    lastResort: [],
    overflow: 0,
  };
}

export function fakeVsm(): VsmSnapshot {
  return {
    operations: {
      varietyAbsorption: 0.97,
      absorptionRate: 120.4,
      volumeRatio: 0.99,
      kinds: 14,
      demands: 7_300,
      units: [
        {
          unit: 'upstream:memory',
          rate: 41.2,
          serviceTime: 0.012,
          p95: 23.1,
          failureRatio: 0,
          inFlight: 1,
          attenuated: 0,
        },
        {
          unit: 'upstream:tickets',
          rate: 0,
          serviceTime: null,
          p95: null,
          failureRatio: null,
          inFlight: 0,
          attenuated: 4,
        },
      ],
    },
    coordination: { status: 'damping', maxPenalty: 3.4, delays: 12, coalesced: 80, tokensRefused: 1 },
    control: {
      usage: 41,
      resources: [
        { resource: 'in-flight', percent: 2 },
        { resource: 'rate', percent: null },
        { resource: 'heap', percent: 41 },
        { resource: 'event loop', percent: 12 },
      ],
      leases: [
        { unit: 'upstream:memory', slots: 256, rps: null, floor: 256, inFlight: 1, expiresAt: FAKE_NOW + 12_000 },
      ],
      drainSteps: 0,
    },
    audit: {
      total: 31,
      findings: [{ unit: 'upstream:memory', at: FAKE_NOW - MINUTE, latencyMs: 4.2, discrepancies: [] }],
    },
    intelligence: {
      eventsIn5Minutes: 1,
      eventsTotal: 9,
      recent: [
        { at: FAKE_NOW - MINUTE, kind: 'environment', unit: 'upstream:memory', what: `it is now 1.5${HOSTILE}` },
      ],
      skills: [
        { unit: 'upstream:memory', skill: 0.31 },
        { unit: 'upstream:tickets', skill: null },
      ],
    },
    policy: { version: 4, mode: 'conserve', since: FAKE_NOW - MINUTE, by: 'operator', reason: 'an operator said so' },
    violations: { attemptsIn5Minutes: 3, attemptsTotal: 17, breachesIn5Minutes: 0, breachesTotal: 0 },
  };
}
