import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { SpanId, TraceId } from '#src/telemetry/tracing/ids.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';

/** A SERVER span that went well. */
export function endedFixture(over: Partial<EndedSpan> = {}): EndedSpan {
  return {
    traceId: TraceId.of('0af7651916cd43dd8448eb211c80319c'),
    spanId: SpanId.of('b7ad6b7169203331'),
    parentId: null,
    parentIsRemote: false,
    traceState: '',
    kind: 1,
    startedAt: 1_000,
    endedAt: 1_002.5,
    description: new SharedFields('tools/call up__echo', {}),
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
