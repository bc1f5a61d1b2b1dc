/** A span that has ended, as it is written for the collector and shown on consoles. */
import { type Attributes, type AttributeValue, type HrTime, type SpanContext } from '@opentelemetry/api';
import { type ReadableSpan } from '@opentelemetry/sdk-trace';
import { SpanId, TraceId } from './ids.js';
import { type EventKind } from './call-trace.js';
import { SharedFields } from './shared-fields.js';

export interface EndedSpan {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  /** `null` for a root. */
  readonly parentId: SpanId | null;
  readonly parentIsRemote: boolean;
  readonly traceState: string;
  /** `SpanKind` of the OpenTelemetry API: 0 internal, 1 server, 2 client. */
  readonly kind: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What it is called and says of what was asked for, or all that an SDK's span says. */
  readonly description: SharedFields;
  /** What it says of where it came in, or went. */
  readonly around: SharedFields | null;
  /** Of the JSON-RPC request; `null`: it is the span of none. */
  readonly requestId: string | number | null;
  /** Attributes that came later: name, value, name, value. */
  readonly more: readonly AttributeValue[];
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  /** `SpanStatusCode`: 2 is an error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
}

export interface SpanEvent {
  readonly what: EventKind;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly attributes?: Readonly<Attributes> | undefined;
  /** What its kind measures; of no others. */
  readonly measured?: number | undefined;
  readonly dropped?: number | undefined;
}

export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: Readonly<Attributes> | undefined;
  readonly dropped?: number | undefined;
}

/** Most spans have nothing of these. */
export const NOTHING_MORE: readonly AttributeValue[] = [];
export const NO_EVENTS: readonly SpanEvent[] = [];
export const NO_LINKS: readonly SpanLink[] = [];
export const NOTHING_DROPPED: EndedSpan['dropped'] = { attributes: 0, events: 0, links: 0 };

/** A span of the SDK's. */
export function endedSpan(span: ReadableSpan): EndedSpan {
  const { traceId, spanId, traceState } = span.spanContext();
  const parent = span.parentSpanContext;
  return {
    traceId: TraceId.of(traceId),
    spanId: SpanId.of(spanId),
    parentId: parent ? SpanId.of(parent.spanId) : null,
    parentIsRemote: parent?.isRemote === true,
    traceState: traceState?.serialize() ?? '',
    kind: span.kind,
    startedAt: milliseconds(span.startTime),
    endedAt: milliseconds(span.endTime),
    description: new SharedFields(span.name, span.attributes),
    around: null,
    requestId: null,
    more: [],
    events: span.events.map(({ name, time, attributes, droppedAttributesCount: dropped }) => ({
      what: name,
      at: milliseconds(time),
      attributes,
      dropped,
    })),
    links: span.links.map(({ context, attributes, droppedAttributesCount: dropped }) => ({
      context,
      attributes,
      dropped,
    })),
    statusCode: span.status.code,
    statusMessage: span.status.message ?? '',
    dropped: {
      attributes: span.droppedAttributesCount,
      events: span.droppedEventsCount,
      links: span.droppedLinksCount,
    },
  };
}

function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
