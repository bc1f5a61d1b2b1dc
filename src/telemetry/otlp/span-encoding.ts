/**
 * A span as OTLP has it, in protocol buffers. Fields that hold nothing are left out, as proto3 has it.
 *
 * Source: opentelemetry-proto 1.x, `trace.proto`, `common.proto`, `resource.proto`.
 */
import { type Attributes, type AttributeValue, TraceFlags } from '@opentelemetry/api';
import { type InstrumentationScope } from '@opentelemetry/core';
import { type Resource } from '@opentelemetry/resources';
import { type EndedSpan, type SpanEvent, type SpanLink } from '../tracing/ended-span.js';
import { fixed32Key, fixed64Key, lengthKey, ProtoWriter, varintKey } from './proto-writer.js';

const SCOPE_SPANS = {
  scope: lengthKey(1),
  span: lengthKey(2),
  schemaUrl: lengthKey(3),
} as const;

const SPAN = {
  traceId: lengthKey(1),
  spanId: lengthKey(2),
  traceState: lengthKey(3),
  parentSpanId: lengthKey(4),
  name: lengthKey(5),
  kind: varintKey(6),
  start: fixed64Key(7),
  end: fixed64Key(8),
  attribute: lengthKey(9),
  droppedAttributes: varintKey(10),
  event: lengthKey(11),
  droppedEvents: varintKey(12),
  link: lengthKey(13),
  droppedLinks: varintKey(14),
  status: lengthKey(15),
  flags: fixed32Key(16),
} as const;

const EVENT = { time: fixed64Key(1), name: lengthKey(2), attribute: lengthKey(3), dropped: varintKey(4) } as const;

const LINK = {
  traceId: lengthKey(1),
  spanId: lengthKey(2),
  traceState: lengthKey(3),
  attribute: lengthKey(4),
  dropped: varintKey(5),
  flags: fixed32Key(6),
} as const;

const STATUS = { message: lengthKey(2), code: varintKey(3) } as const;
const RESOURCE_SPANS = { resource: lengthKey(1), scopeSpans: lengthKey(2), schemaUrl: lengthKey(3) } as const;
const REQUEST = { resourceSpans: lengthKey(1) } as const;
const RESOURCE = { attribute: lengthKey(1) } as const;
const SCOPE = { name: lengthKey(1), version: lengthKey(2) } as const;
const KEY_VALUE = { key: lengthKey(1), value: lengthKey(2) } as const;

const ANY = {
  text: lengthKey(1),
  truth: varintKey(2),
  int: varintKey(3),
  double: fixed64Key(4),
  array: lengthKey(5),
} as const;
const ARRAY_VALUE = lengthKey(1);
/** Room for resource and scope. */
const HEAD_SIZE = 2_048;

/** Whether a context came from elsewhere: that it is known, and that it is so. */
const KNOWN_REMOTE = 0x100;
const REMOTE = 0x200;

/** One span, as a field of `ScopeSpans`. */
export function writeSpan(out: ProtoWriter, span: EndedSpan): void {
  const start = out.begin(SCOPE_SPANS.span);
  out.hex(SPAN.traceId, span.traceId);
  out.hex(SPAN.spanId, span.spanId);
  if (span.traceState !== '') out.text(SPAN.traceState, span.traceState);
  if (span.parentId !== '') out.hex(SPAN.parentSpanId, span.parentId);
  out.text(SPAN.name, span.name);
  out.varint(SPAN.kind, span.kind + 1); // 0 is "not said" there
  out.time(SPAN.start, span.startedAt);
  out.time(SPAN.end, span.endedAt);
  const { more, dropped } = span;
  writeAttributes(out, SPAN.attribute, span.attributes);
  for (let at = 0; at + 1 < more.length; at += 2) writeAttribute(out, SPAN.attribute, more[at] as string, more[at + 1]);
  writeCount(out, SPAN.droppedAttributes, dropped.attributes);
  for (const event of span.events) writeEvent(out, event);
  writeCount(out, SPAN.droppedEvents, dropped.events);
  for (const link of span.links) writeLink(out, link);
  writeCount(out, SPAN.droppedLinks, dropped.links);
  if (span.statusCode !== 0 || span.statusMessage !== '') {
    const status = out.begin(SPAN.status);
    if (span.statusMessage !== '') out.text(STATUS.message, span.statusMessage);
    out.varint(STATUS.code, span.statusCode);
    out.end(status);
  }
  out.fixed32(SPAN.flags, flagsOf(TraceFlags.SAMPLED, span.parentIsRemote));
  out.end(start);
}

/**
 * Spans that `writeSpan` has written, of one resource and one scope, as a field of `ExportTraceServiceRequest`: such fields stand
 * one behind the other in a request.
 */
export function resourceSpans(resource: Resource, scope: InstrumentationScope, spans: Uint8Array): Buffer {
  const out = new ProtoWriter(spans.length + HEAD_SIZE);
  const start = out.begin(REQUEST.resourceSpans);
  const described = out.begin(RESOURCE_SPANS.resource);
  writeAttributes(out, RESOURCE.attribute, resource.attributes);
  out.end(described);
  const scopeSpans = out.begin(RESOURCE_SPANS.scopeSpans);
  const named = out.begin(SCOPE_SPANS.scope);
  out.text(SCOPE.name, scope.name);
  if (scope.version !== undefined) out.text(SCOPE.version, scope.version);
  out.end(named);
  out.raw(spans);
  if (scope.schemaUrl !== undefined) out.text(SCOPE_SPANS.schemaUrl, scope.schemaUrl);
  out.end(scopeSpans);
  if (resource.schemaUrl !== undefined) out.text(RESOURCE_SPANS.schemaUrl, resource.schemaUrl);
  out.end(start);
  return out.written;
}

function writeEvent(out: ProtoWriter, { name, at, attributes, dropped }: SpanEvent): void {
  const start = out.begin(SPAN.event);
  out.time(EVENT.time, at);
  out.text(EVENT.name, name);
  if (attributes) writeAttributes(out, EVENT.attribute, attributes);
  writeCount(out, EVENT.dropped, dropped);
  out.end(start);
}

function writeLink(out: ProtoWriter, { context, attributes, dropped }: SpanLink): void {
  const start = out.begin(SPAN.link);
  out.hex(LINK.traceId, context.traceId);
  out.hex(LINK.spanId, context.spanId);
  const traceState = context.traceState?.serialize() ?? '';
  if (traceState !== '') out.text(LINK.traceState, traceState);
  if (attributes) writeAttributes(out, LINK.attribute, attributes);
  writeCount(out, LINK.dropped, dropped);
  out.fixed32(LINK.flags, flagsOf(context.traceFlags, context.isRemote));
  out.end(start);
}

function writeAttributes(out: ProtoWriter, key: number, attributes: Readonly<Attributes>): void {
  for (const name in attributes) writeAttribute(out, key, name, attributes[name]);
}

function writeAttribute(out: ProtoWriter, key: number, name: string, value: AttributeValue | undefined): void {
  const start = out.begin(key);
  out.text(KEY_VALUE.key, name);
  const any = out.begin(KEY_VALUE.value);
  writeAny(out, value);
  out.end(any);
  out.end(start);
}

/** `AnyValue`. What is none, as a hole in an array, is a value without a kind. */
function writeAny(out: ProtoWriter, value: unknown): void {
  if (typeof value === 'string') out.text(ANY.text, value);
  else if (typeof value === 'number') out.number(ANY.int, ANY.double, value);
  else if (typeof value === 'boolean') out.varint(ANY.truth, value ? 1 : 0);
  else if (Array.isArray(value)) {
    const array = out.begin(ANY.array);
    for (const item of value as readonly unknown[]) {
      const one = out.begin(ARRAY_VALUE);
      writeAny(out, item);
      out.end(one);
    }
    out.end(array);
  }
}

function writeCount(out: ProtoWriter, key: number, count: number | undefined): void {
  if (count) out.varint(key, count);
}

function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | KNOWN_REMOTE | (isRemote === true ? REMOTE : 0);
}
