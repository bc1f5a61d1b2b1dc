/** Every figure that the dashboards show is a metric: whoever changes one changes what is collected. */
import assert from 'node:assert/strict';
import { type GatewaySnapshot } from '#src/admin/protocol.js';
import { collect } from '#src/telemetry/metrics/collect.js';
import { Durations } from '#src/telemetry/metrics/operations.js';
import { prometheusText } from '#src/telemetry/metrics/prometheus.js';
import { fakeDrain, fakeSnapshot, HOSTILE } from '../../../support/admin/fixtures.js';
import { readPrometheus } from '../../../support/prometheus.js';

/** Numbers of the snapshot that are no figures: identities, instants, and what a tree is made of. */
const NO_FIGURES = [
  /^pid$/,
  /^takenAt$/,
  /^config\.loadedAt$/,
  /^drain\.(startedAt|graceUntil|connectionsAtStart|inFlight)$/, // in flight of all: viable.requests.in_flight
  /^connections\.total$/, // the sum of its transports
  /^upstreams\.\d+\.(pid|since|retryAt|lastError\.at)$/,
  /^tree(\.children\.\d+)*\.(handled|startedAt|incarnation|childCount|lastFault\.at)$/,
  /^tree\.(restarts|mailbox\.\w+)$/, // the root is restarted by nobody and has no mailbox of its own
  /^tree(\.children\.\d+)*\.mailbox\.\w+$/, // the fullest one is shown
  /^alarms\.active\.\d+\.(id|value|pain|agony|raisedAt|stageSince|count|peak|calm|intensity)$/, // the worst is shown
  /^alarms\.(active\.\d+\.acknowledged\.at|history\.\d+\.\w+|lastResort\.\d+\.\w+)$/,
  /^breakers\.\d+\.(since|nextProbeAt|history\.\d+\.at)$/,
  /^vsm\.policy\.since$/,
  /^vsm\.(audit\.findings|intelligence\.recent)\.\d+\.(at|latencyMs)$/, // each look and event is a line of the log
  /^audit\.head\.seq$/,
  /^throughput\.perSecond\.\d+$/, // the last second is shown, see below
];

function* numbers(value: unknown, path: string[] = []): Iterable<string[]> {
  if (typeof value === 'number') yield path;
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* numbers(inner, [...path, key]);
}

function changed(snapshot: GatewaySnapshot, path: readonly string[]): GatewaySnapshot {
  const copy = structuredClone(snapshot);
  const last = path.at(-1) as string;
  let holder = copy as unknown as Record<string, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  holder[last] = (holder[last] as number) + 1;
  return copy;
}

function text(snapshot: GatewaySnapshot): string {
  return JSON.stringify(
    collect({ snapshot: () => snapshot, durations: new Durations(), version: '1' }).resourceMetrics.scopeMetrics.map(
      ({ metrics }) =>
        metrics.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => [attributes, value]),
        ]),
    ),
  );
}

describe('telemetry/metrics/collect', () => {
  const snapshot = fakeSnapshot({
    drain: fakeDrain({ deadlineAt: Date.UTC(2030, 0) }),
  });

  it('every figure of the dashboards is a metric (add yours to src/telemetry/metrics, or say here why it is none)', () => {
    const before = text(snapshot);
    let seen = 0;
    for (const path of numbers(snapshot)) {
      const name = path.join('.');
      if (NO_FIGURES.some((pattern) => pattern.test(name))) continue;
      assert.notEqual(text(changed(snapshot, path)), before, name);
      seen += 1;
    }
    assert.ok(seen > 30, String(seen));
  });

  it('the throughput is that of the last second, the mailbox the fullest one', () => {
    const more = fakeSnapshot({ throughput: { perSecond: [1, 2, 41], messagesTotal: 3 } });
    const page = readPrometheus(
      prometheusText({ snapshot: () => more, durations: new Durations(), version: '1' }).text,
    );
    assert.equal(page.value('viable_throughput'), 41);
  });

  it('what has no samples has no series', () => {
    const idle = fakeSnapshot({
      throughput: { perSecond: [], messagesTotal: 0 },
      errors: [{ transport: 'http', percent: null, samples: 0 }],
      requests: { inFlight: 0, answered: 0, failed: 0, p50: null, p99: null },
      process: { rssBytes: 1, heapUsedBytes: 1, cpuPercent: null, loopDelayP99: null },
    });
    const { types } = readPrometheus(
      prometheusText({ snapshot: () => idle, durations: new Durations(), version: '1' }).text,
    );
    for (const name of [
      'viable_errors_ratio',
      'viable_requests_latency_seconds',
      'viable_throughput',
      'process_cpu_utilization_ratio',
      'mcp_server_operation_duration_seconds',
    ])
      assert.ok(!types.has(name), name);
  });

  it('names from outside cannot break the page', () => {
    const durations = new Durations();
    durations.server.record('', 'tools/call', `${HOSTILE}"}\n\\`, null, 0.1);
    const page = readPrometheus(prometheusText({ snapshot: () => snapshot, durations, version: '1' }).text);
    const label = page.samples.find(({ name }) => name === 'mcp_server_operation_duration_seconds_count')?.labels[
      'gen_ai_tool_name'
    ];
    assert.equal(label, `${HOSTILE}"}\n\\`);
  });
});
