/**
 * A span as OTLP has it, in protocol buffers. Fields that hold nothing are left out, as proto3 has it.
 *
 * Source: opentelemetry-proto 1.x, `trace.proto`, `common.proto`, `resource.proto`.
 */
import { type Attributes, type AttributeValue, TraceFlags } from '@opentelemetry/api';
import { type InstrumentationScope } from '@opentelemetry/core';
import { type Resource } from '@opentelemetry/resources';
import { type EndedSpan, type SpanEvent, type SpanLink } from '../tracing/ended-span.js';
import { type SharedFields } from '../tracing/shared-fields.js';
import { REQUEST_ID } from '../tracing/trace-span.js';
import { ProtoWriter } from './proto-writer.js';
import {
  ANY,
  ARRAY_VALUE,
  EVENT,
  KEY_VALUE,
  LINK,
  REQUEST,
  RESOURCE,
  RESOURCE_SPANS,
  SCOPE,
  SCOPE_SPANS,
  SPAN,
  STATUS,
} from './span-fields.js';

/** Bytes that the length of nearly every span takes. */
const SIZE_OF_A_LENGTH = 2;
/** Room for resource and scope. */
const HEAD_SIZE = 2_048;
const FIRST_SIZE_OF_A_BATCH = 16_384;

/** A writer for spans, with room before them for what describes them all. */
export function newSpanWriter(): ProtoWriter {
  return new ProtoWriter(FIRST_SIZE_OF_A_BATCH, HEAD_SIZE);
}

/** Whether a context came from elsewhere: that it is known, and that it is so. */
const KNOWN_REMOTE = 0x100;
const REMOTE = 0x200;

/** One span, as a field of `ScopeSpans`. */
export function writeSpan(out: ProtoWriter, span: EndedSpan): void {
  const start = out.begin(SCOPE_SPANS.span, SIZE_OF_A_LENGTH);
  const { traceId, spanId, parentId } = span;
  out.words4(SPAN.traceId, traceId.a, traceId.b, traceId.c, traceId.d);
  out.words2(SPAN.spanId, spanId.high, spanId.low);
  if (span.traceState !== '') out.text(SPAN.traceState, span.traceState);
  if (parentId !== null) out.words2(SPAN.parentSpanId, parentId.high, parentId.low);
  out.varint(SPAN.kind, span.kind + 1); // 0 is "not said" there
  out.time(SPAN.start, span.startedAt);
  out.time(SPAN.end, span.endedAt);
  const { around, requestId, more, dropped } = span;
  writeShared(out, span.description, SPAN.name, SPAN.attribute);
  if (around !== null) writeShared(out, around, SPAN.name, SPAN.attribute);
  if (requestId !== null) writeAttribute(out, SPAN.attribute, REQUEST_ID, String(requestId));
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
  out.end(start, SIZE_OF_A_LENGTH);
}

/**
 * Spans that `writeSpan` has written, of one resource and one scope, as a field of `ExportTraceServiceRequest`: such fields stand
 * one behind the other in a request. What describes them is written around them into `spans`, whose memory this is until it is cleared.
 */
export function resourceSpans(resource: Resource, scope: InstrumentationScope, spans: ProtoWriter): Buffer {
  const described = new ProtoWriter(HEAD_SIZE);
  const resourceStart = described.begin(RESOURCE_SPANS.resource);
  writeAttributes(described, RESOURCE.attribute, resource.attributes);
  described.end(resourceStart);
  const named = new ProtoWriter(HEAD_SIZE);
  const scopeStart = named.begin(SCOPE_SPANS.scope);
  named.text(SCOPE.name, scope.name);
  if (scope.version !== undefined) named.text(SCOPE.version, scope.version);
  named.end(scopeStart);
  if (scope.schemaUrl !== undefined) spans.text(SCOPE_SPANS.schemaUrl, scope.schemaUrl);
  // A length stands before what it measures, and nothing is moved for it: the outermost last.
  described.varint(RESOURCE_SPANS.scopeSpans, named.length + spans.length);
  described.raw(named.written);
  if (resource.schemaUrl !== undefined) spans.text(RESOURCE_SPANS.schemaUrl, resource.schemaUrl);
  const head = new ProtoWriter(HEAD_SIZE);
  head.varint(REQUEST.resourceSpans, described.length + spans.length);
  head.raw(described.written);
  return spans.behind(head.written);
}

function writeEvent(out: ProtoWriter, { what, at, attributes, measured = 0, dropped }: SpanEvent): void {
  const start = out.begin(SPAN.event);
  out.time(EVENT.time, at);
  if (typeof what === 'string') out.name(EVENT.name, what);
  else {
    writeShared(out, what, EVENT.name, EVENT.attribute);
    if (what.measure !== null) writeAttribute(out, EVENT.attribute, what.measure, measured);
  }
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

/** Name and attributes of a span or an event; of those that come again, the bytes. */
function writeShared(out: ProtoWriter, shared: SharedFields, nameKey: number, attributeKey: number): void {
  if (shared.written !== null) return out.raw(shared.written);
  const start = out.length;
  if (shared.name !== '') out.text(nameKey, shared.name);
  writeAttributes(out, attributeKey, shared.attributes);
  if (shared.isWorthKeeping) shared.written = out.copyFrom(start);
  shared.isWorthKeeping = true;
}

function writeAttributes(out: ProtoWriter, key: number, attributes: Readonly<Attributes>): void {
  for (const name in attributes) writeAttribute(out, key, name, attributes[name]);
}

function writeAttribute(out: ProtoWriter, key: number, name: string, value: AttributeValue | undefined): void {
  const start = out.begin(key);
  out.name(KEY_VALUE.key, name);
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
