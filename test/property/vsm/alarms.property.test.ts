/** The book of alarms against a naive model of what docs/vsm.md says. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AlarmBook, type AlarmEffect, type AlarmRules, STAGES } from '#src/vsm/alarms-model.js';
import { severity } from '#src/vsm/reading.js';

const RULES: AlarmRules = {
  escalation: { unit: 5_000, control: 15_000, policy: 60_000 },
  clearRatio: 0.8,
  clearTicks: 3,
  history: 20,
};

type Step =
  | { readonly type: 'report'; readonly source: string; readonly value: number }
  | { readonly type: 'tick'; readonly ms: number }
  | { readonly type: 'ack'; readonly nth: number };

const steps = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('report' as const),
      source: fc.constantFrom('a', 'b', 'c'),
      value: fc.double({ min: 0, max: 20, noNaN: true }),
    }),
    fc.record({ type: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({ type: fc.constant('ack' as const), nth: fc.nat(3) }),
  ),
  { maxLength: 80 },
);

interface Modelled {
  value: number;
  stage: number;
  since: number;
  acked: boolean;
  calm: number;
  worst: number;
}

const LEVELS = ['low', 'medium', 'high', 'critical'];

/** What the text says, word by word, without sharing a line with the book. */
class Model {
  readonly alarms = new Map<string, Modelled>();
  cleared = 0;

  report(source: string, value: number, now: number): void {
    const felt = value < 5 ? -1 : value < 6.25 ? 0 : value < 7.5 ? 1 : value < 10 ? 2 : 3;
    const known = this.alarms.get(source);
    if (!known) {
      if (felt < 0) return;
      const stage = felt === 3 ? 2 : 0;
      this.alarms.set(source, { value, stage, since: now, acked: false, calm: 0, worst: felt });
      return;
    }
    const worse = felt > Math.max(0, known.worst);
    known.value = value;
    known.worst = Math.max(0, felt);
    if (worse) known.acked = false;
    if (felt === 3 && known.stage < 2) Object.assign(known, { stage: 2, since: now });
  }

  tick(now: number): void {
    for (const [source, alarm] of [...this.alarms]) {
      alarm.calm = alarm.value < 4 ? alarm.calm + 1 : 0;
      if (alarm.calm === 3) {
        this.alarms.delete(source);
        this.cleared += 1;
        continue;
      }
      const limit = [5_000, 15_000, 60_000, Infinity][alarm.stage] ?? Infinity;
      if (now - alarm.since >= limit && (!alarm.acked || alarm.value >= 5)) {
        Object.assign(alarm, { stage: alarm.stage + 1, since: now });
      }
    }
  }
}

describe('the book of alarms', () => {
  it('does what its model does, for any readings, ticks and acknowledgements', () => {
    fc.assert(
      fc.property(steps, (sequence: readonly Step[]) => {
        const book = new AlarmBook();
        const model = new Model();
        let now = 0;
        let cleared = 0;
        const count = (effects: readonly AlarmEffect[]): void => {
          cleared += effects.filter(({ type }) => type === 'cleared').length;
        };
        for (const step of sequence) {
          switch (step.type) {
            case 'report': {
              const { source, value } = step;
              count(book.report({ source, index: 'x', value, pain: 5, agony: 10, message: 'it hurts' }, now));
              model.report(source, value, now);
              break;
            }
            case 'tick':
              now += step.ms;
              count(book.tick(now, RULES));
              model.tick(now);
              break;
            case 'ack': {
              const alarm = book.active()[step.nth];
              if (!alarm) break;
              book.acknowledge(alarm.id, 'me', now);
              const known = model.alarms.get(alarm.source);
              if (known) known.acked = true;
            }
          }
          const shown = book.active().map((alarm) => ({
            source: alarm.source,
            value: alarm.value,
            stage: STAGES.indexOf(alarm.stage),
            since: alarm.stageSince,
            acked: alarm.acknowledged !== null,
            calm: alarm.calm,
            worst: LEVELS.indexOf(alarm.severity),
          }));
          shown.sort((a, b) => a.source.localeCompare(b.source));
          const expected = [...model.alarms].map(([source, alarm]) => ({ source, ...alarm }));
          expected.sort((a, b) => a.source.localeCompare(b.source));
          assert.deepEqual(shown, expected);
        }
        assert.equal(cleared, model.cleared);
        assert.equal(book.history().length, Math.min(RULES.history, model.cleared));
      }),
      { numRuns: 500 },
    );
  });

  it('has one signal for each source and index, however often it is reported', () => {
    const book = new AlarmBook();
    const reading = { source: 'a', index: 'x', value: 6, pain: 5, agony: 10, message: 'it hurts' };
    for (let i = 0; i < 1_000; i++) book.report(reading, i);
    book.report({ ...reading, index: 'y' }, 1_000);
    assert.deepEqual(
      book.active().map(({ source, index, count }) => [source, index, count]),
      [
        ['a', 'x', 1_000],
        ['a', 'y', 1],
      ],
    );
  });

  it('is bounded, and counts what it could not take', () => {
    const book = new AlarmBook();
    for (let i = 0; i < 1_100; i++) {
      book.report({ source: `s${i}`, index: 'x', value: 9, pain: 5, agony: 10, message: '' }, i);
    }
    assert.equal(book.active().length, 1_000);
    assert.equal(book.overflow, 100);
  });

  it('takes no reading that could never clear or has no intensity', () => {
    const book = new AlarmBook();
    const good = { source: 'a', index: 'x', value: 6, pain: 5, agony: 10, message: '' };
    for (const bad of [{ value: NaN }, { pain: 0 }, { agony: 5 }, { agony: Infinity }, { value: Infinity }]) {
      assert.deepEqual(book.report({ ...good, ...bad }, 0), []);
    }
    assert.deepEqual(book.active(), []);
  });

  it('grades intensity as the four severities', () => {
    const at = (value: number) => severity({ value, pain: 0.5, agony: 1 });
    assert.deepEqual([0.49, 0.5, 0.62, 0.63, 0.74, 0.75, 0.99, 1, 7].map(at), [
      null,
      'low',
      'low',
      'medium',
      'medium',
      'high',
      'high',
      'critical',
      'critical',
    ]);
  });
});
