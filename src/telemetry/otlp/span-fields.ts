/**
 * Keys of the fields that spans are written in.
 *
 * Source: opentelemetry-proto 1.x, `trace.proto`, `common.proto`, `resource.proto`.
 */
import { fixed32Key, fixed64Key, lengthKey, varintKey } from './proto-writer.js';

export const SCOPE_SPANS = {
  scope: lengthKey(1),
  span: lengthKey(2),
  schemaUrl: lengthKey(3),
} as const;

export const SPAN = {
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

export const EVENT = {
  time: fixed64Key(1),
  name: lengthKey(2),
  attribute: lengthKey(3),
  dropped: varintKey(4),
} as const;

export const LINK = {
  traceId: lengthKey(1),
  spanId: lengthKey(2),
  traceState: lengthKey(3),
  attribute: lengthKey(4),
  dropped: varintKey(5),
  flags: fixed32Key(6),
} as const;

export const STATUS = { message: lengthKey(2), code: varintKey(3) } as const;
export const RESOURCE_SPANS = { resource: lengthKey(1), scopeSpans: lengthKey(2), schemaUrl: lengthKey(3) } as const;
export const REQUEST = { resourceSpans: lengthKey(1) } as const;
export const RESOURCE = { attribute: lengthKey(1) } as const;
export const SCOPE = { name: lengthKey(1), version: lengthKey(2) } as const;
export const KEY_VALUE = { key: lengthKey(1), value: lengthKey(2) } as const;

export const ANY = {
  text: lengthKey(1),
  truth: varintKey(2),
  int: varintKey(3),
  double: fixed64Key(4),
  array: lengthKey(5),
} as const;
export const ARRAY_VALUE = lengthKey(1);
