import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CLIENT_TRANSPORTS, type LogLine } from '#src/admin/protocol.js';
import { Counters } from '#src/telemetry/counters.js';
import { createLog, LogRing } from '#src/telemetry/logger.js';
import { Windows } from '#src/telemetry/windows.js';

interface Second {
  readonly messages: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Latencies in milliseconds. */
  readonly latencies: readonly number[];
}

const second: fc.Arbitrary<Second> = fc.record({
  messages: fc.nat(50),
  succeeded: fc.nat(20),
  failed: fc.nat(20),
  latencies: fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 3 }),
});

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] as number;
}

describe('windows', () => {
  it('are what a naive count of the last seconds gives', () => {
    fc.assert(
      fc.property(fc.array(second, { maxLength: 150 }), fc.integer({ min: 2, max: 70 }), (seconds, history) => {
        const counters = new Counters();
        const windows = new Windows(counters, history);
        for (const { messages, succeeded, failed, latencies } of seconds) {
          counters.transports.websocket.messagesIn += messages;
          counters.transports.http.messagesOut += 1;
          counters.transports.websocket.succeeded += succeeded;
          counters.transports.websocket.failed += failed;
          for (const ms of latencies) counters.latency.record(ms * 1_000);
          windows.tick();
        }
        assert.deepEqual(
          windows.perSecond,
          seconds.slice(-history).map((s) => s.messages + 1),
        );
        const minute = seconds.slice(-60);
        const sum = (of: (s: Second) => number): number => minute.reduce((total, s) => total + of(s), 0);
        const failed = sum((s) => s.failed);
        const samples = failed + sum((s) => s.succeeded);
        assert.deepEqual(
          windows.errorRates(),
          CLIENT_TRANSPORTS.map((transport) =>
            transport === 'websocket'
              ? { transport, samples, percent: samples === 0 ? null : (100 * failed) / samples }
              : { transport, samples: 0, percent: null },
          ),
        );
        // Latencies leave in slices of ten seconds.
        const kept = seconds.slice(-(50 + (seconds.length % 10))).flatMap((s) => s.latencies);
        const { p50, p99 } = windows.latency();
        if (kept.length === 0) assert.deepEqual([p50, p99], [null, null]);
        for (const [value, p] of [
          [p50, 50],
          [p99, 99],
        ] as const) {
          if (value !== null) assert.ok(Math.abs(value / percentile(kept, p) - 1) < 0.002, `p${p}: ${value}`);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('count what has happened since the last tick in error rates and latencies', () => {
    const counters = new Counters();
    const windows = new Windows(counters, 10);
    counters.transports.sse.failed += 1;
    counters.transports.sse.succeeded += 3;
    counters.latency.record(7_000);
    assert.deepEqual(
      windows.errorRates().find((rate) => rate.transport === 'sse'),
      { transport: 'sse', samples: 4, percent: 25 },
    );
    assert.ok(Math.abs((windows.latency().p50 ?? 0) - 7) < 0.01);
    assert.deepEqual(windows.perSecond, []);
  });

  it('show what the program routes itself only once it has', () => {
    const counters = new Counters();
    const windows = new Windows(counters, 10);
    const shown = (): string[] => windows.errorRates().map(({ transport }) => transport);
    assert.deepEqual(shown(), ['http', 'sse', 'websocket']);
    counters.transports['in-process'].messagesIn += 1;
    counters.transports['in-process'].succeeded += 1;
    assert.deepEqual(shown(), ['http', 'sse', 'websocket', 'in-process']);
    assert.equal(counters.messages, 1);
  });

  it('shorten and lengthen their history', () => {
    const windows = new Windows(new Counters(), 4);
    for (let i = 0; i < 6; i++) windows.tick();
    windows.history = 2;
    assert.equal(windows.perSecond.length, 2);
    windows.history = 3;
    for (let i = 0; i < 6; i++) windows.tick();
    assert.equal(windows.perSecond.length, 3);
  });
});

describe('log', () => {
  const line = (n: number, level: LogLine['level'] = 'info'): LogLine => ({
    at: n,
    level,
    event: null,
    message: String(n),
    fields: {},
  });
  const all = (): boolean => true;

  it('keeps the last 2,000 lines, oldest first', () => {
    const ring = new LogRing();
    for (let n = 0; n < 4_500; n++) ring.add(line(n));
    const kept = ring.last(10_000, all).map((l) => l.at);
    assert.deepEqual(
      kept,
      Array.from({ length: 2_000 }, (_, i) => 2_500 + i),
    );
    assert.deepEqual(
      ring.last(2, all).map((l) => l.at),
      [4_498, 4_499],
    );
    assert.deepEqual(ring.last(0, all), []);
  });

  it('gives the last lines that are wanted, not the wanted of the last', () => {
    const ring = new LogRing();
    for (let n = 0; n < 20; n++) ring.add(line(n, n % 5 === 0 ? 'warn' : 'info'));
    assert.deepEqual(
      ring.last(2, (l) => l.level === 'warn').map((l) => l.at),
      [10, 15],
    );
  });

  it('tells followers until they leave', () => {
    const ring = new LogRing();
    const seen: number[] = [];
    const stop = ring.follow((l) => seen.push(l.at));
    ring.add(line(1));
    stop();
    ring.add(line(2));
    assert.deepEqual(seen, [1]);
  });

  it('reads its own lines: level, event, message without control characters, other fields', () => {
    const output = createLog('debug', false);
    const { log, ring } = output;
    output.setQuiet(true);
    log.warn({ event: 'test', path: '/x' }, 'red \u001b[31malert');
    log.trace('not at this level');
    log.info('plain');
    const [warned, plain, ...more] = ring.last(10, all);
    assert.deepEqual(more, []);
    assert.equal(typeof warned?.at, 'number');
    assert.deepEqual(
      { ...warned, at: 0 },
      { at: 0, level: 'warn', event: 'test', message: 'red alert', fields: { path: '/x' } },
    );
    assert.deepEqual({ ...plain, at: 0 }, { at: 0, level: 'info', event: null, message: 'plain', fields: {} });
  });
});
