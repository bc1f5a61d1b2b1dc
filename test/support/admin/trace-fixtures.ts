/** Two traces: one that went well over an upstream, one that did not, with a hostile name. */
import type { SpanSnapshot, TraceSnapshot, TracesSnapshot } from '#src/admin/snapshot/traces.js';
import { FAKE_NOW, HOSTILE } from './instant.js';

function span(spanId: string, over: Partial<SpanSnapshot>): SpanSnapshot {
  return {
    spanId,
    parentId: null,
    name: 'tools/call memory__read_graph',
    kind: 'server',
    startedAt: FAKE_NOW - 4_000,
    durationMs: 12.5,
    error: null,
    attributes: { 'viable.transport': 'http', 'mcp.method.name': 'tools/call' },
    ...over,
  };
}

export function fakeTraces(): readonly TraceSnapshot[] {
  return [
    {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spans: [
        span('00f067aa0ba902b7', {}),
        span('b7ad6b7169203331', {
          parentId: '00f067aa0ba902b7',
          name: 'tools/call read_graph',
          kind: 'client',
          startedAt: FAKE_NOW - 3_995,
          durationMs: 6,
          attributes: { 'viable.upstream': 'memory' },
        }),
      ],
    },
    {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spans: [
        span('53995c3f42cd8ad8', {
          name: `tools/call tickets__${HOSTILE}`,
          startedAt: FAKE_NOW - 9_000,
          durationMs: 1_300,
          error: 'upstream_unavailable',
        }),
      ],
    },
  ];
}

export function fakeTracing(): TracesSnapshot {
  return { tracing: true, samplingRate: 0.01, traces: fakeTraces() };
}
