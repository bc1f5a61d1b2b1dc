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
    policy: { version: 4, mode: 'conserve', since: FAKE_NOW - MINUTE, by: 'operator', reason: 'an operator said so' },
  };
}
