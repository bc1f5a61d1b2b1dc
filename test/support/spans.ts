import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { SpanId, TraceId } from '#src/telemetry/tracing/ids.js';
import { SharedAttributes } from '#src/telemetry/tracing/shared-attributes.js';

/** A SERVER span that went well. */
export function endedFixture(over: Partial<EndedSpan> = {}): EndedSpan {
  return {
    traceId: TraceId.of('0af7651916cd43dd8448eb211c80319c'),
    spanId: SpanId.of('b7ad6b7169203331'),
    parentId: null,
    parentIsRemote: false,
    traceState: '',
    name: 'tools/call up__echo',
    kind: 1,
    startedAt: 1_000,
    endedAt: 1_002.5,
    attributes: new SharedAttributes({}),
    around: null,
    requestId: null,
    more: [],
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    dropped: { attributes: 0, events: 0, links: 0 },
    ...over,
  };
}
