/**
 * A span that `span-encoding.ts` has written, read again for consoles: what waits for a collector, or was sent, is bytes.
 *
 * Source: opentelemetry-proto 1.x, `trace.proto`, `common.proto`.
 */
import { type Buffer } from 'node:buffer';
import { type SpanSnapshot } from '../../admin/snapshot/traces.js';
import { ProtoReader } from './proto-reader.js';
import { ANY, KEY_VALUE, SPAN, STATUS } from './span-fields.js';

/** As `SpanKind` and `SpanStatusCode` of the OpenTelemetry API. */
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;

/** Of the span that stands at `start`, in hexadecimal digits. */
export function traceIdOf(bytes: Buffer, start: number): string {
  const span = spanAt(bytes, start);
  span.key(); // it is written first
  return span.hex();
}

/** The span that stands at `start`, as a field of `ScopeSpans`. */
export function readSpan(bytes: Buffer, start: number): SpanSnapshot {
  const span = spanAt(bytes, start);
  const attributes: Record<string, string> = {};
  const status: Status = { code: 0, message: '' };
  let spanId = '';
  let parentId: string | null = null;
  let name = '';
  let kind = 0;
  let startedAt = 0;
  let endedAt = 0;
  while (span.more) {
    const key = span.key();
    if (key === SPAN.spanId) spanId = span.hex();
    else if (key === SPAN.parentSpanId) parentId = span.hex();
    else if (key === SPAN.name) name = span.text();
    else if (key === SPAN.kind)
      kind = span.varint() - 1; // 0 is "not said" there
    else if (key === SPAN.start) startedAt = span.time();
    else if (key === SPAN.end) endedAt = span.time();
    else if (key === SPAN.attribute) readAttribute(span.message(), attributes);
    else if (key === SPAN.status) readStatus(span.message(), status);
    else span.skip(key);
  }
  const said = attributes['error.type'] ?? (status.message === '' ? 'error' : status.message);
  return {
    spanId,
    parentId,
    name,
    kind: kind === SERVER ? 'server' : kind === CLIENT ? 'client' : 'internal',
    startedAt,
    durationMs: endedAt - startedAt,
    error: status.code === ERROR ? said : null,
    attributes,
  };
}

function spanAt(bytes: Buffer, start: number): ProtoReader {
  const field = new ProtoReader(bytes, start);
  field.key();
  return field.message();
}

function readAttribute(attribute: ProtoReader, all: Record<string, string>): void {
  let name = '';
  let value = '';
  while (attribute.more) {
    const key = attribute.key();
    if (key === KEY_VALUE.key) name = attribute.text();
    else if (key === KEY_VALUE.value) value = readAny(attribute.message());
    else attribute.skip(key);
  }
  // A name as `__proto__` is one like any other.
  Object.defineProperty(all, name, { value, enumerable: true, configurable: true, writable: true });
}

/** As `String` has it. */
function readAny(any: ProtoReader): string {
  if (!any.more) return '';
  switch (any.key()) {
    case ANY.text:
      return any.text();
    case ANY.truth:
      return String(any.varint() === 1);
    case ANY.int:
      return String(any.int64());
    case ANY.double:
      return String(any.double());
    default:
      return readArray(any.message());
  }
}

function readArray(array: ProtoReader): string {
  const items: string[] = [];
  while (array.more) {
    array.key(); // of an item: there is no other field
    items.push(readAny(array.message()));
  }
  return items.join(',');
}

interface Status {
  code: number;
  message: string;
}

function readStatus(status: ProtoReader, all: Status): void {
  while (status.more) {
    const key = status.key();
    if (key === STATUS.code) all.code = status.varint();
    else if (key === STATUS.message) all.message = status.text();
    else status.skip(key);
  }
}
