/**
 * `Mcp-Param-*`: the arguments of a tool that its input schema mirrors into HTTP headers with `x-mcp-header`.
 *
 * A schema is scanned once, when the tool is listed; calls use the declarations. Paths are read through own members
 * alone, so a property named `__proto__` or `constructor` is a property like any other.
 *
 * Source: MCP specification 2026-07-28, "Streamable HTTP › Custom Headers from Tool Parameters".
 */
import { isJsonObject, type JsonObject } from '../jsonrpc.js';
import { stripControl } from '../text.js';
import { decodeHeaderValue, encodeHeaderValue } from './header-values.js';

/** In lower case, as Node gives incoming names. */
export const PARAM_HEADER_PREFIX = 'mcp-param-';

/** Request headers as Node's HTTP parser gives them: names in lower case. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ParamHeader {
  /** The whole field name in lower case, `mcp-param-region`. */
  readonly field: string;
  /** The chain of `properties` keys from the root of the arguments. At least one. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

/** `reason` is safe for logs. A client over Streamable HTTP must not list a tool whose schema is not `ok`. */
export type ParamScan =
  { readonly ok: true; readonly headers: readonly ParamHeader[] } | { readonly ok: false; readonly reason: string };

const ANNOTATION = 'x-mcp-header';

/** `1*tchar` of RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Keywords that hold one schema or an array of schemas, through which no annotation is reachable. */
const SCHEMA_KEYWORDS = [
  'items prefixItems additionalItems contains additionalProperties unevaluatedProperties unevaluatedItems',
  'propertyNames contentSchema oneOf anyOf allOf not if then else',
].flatMap((line) => line.split(' '));

/** Keywords that hold schemas by name, through which no annotation is reachable. */
const SCHEMA_MAP_KEYWORDS = ['patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'];

/**
 * Finds the annotations of a tool's `inputSchema` and checks every constraint on them. Data inside a schema (`default`,
 * `enum`, `examples`) is not searched. Recursion is bounded by the depth of the message that the schema came in.
 */
export function scanParamHeaders(inputSchema: unknown): ParamScan {
  const headers: ParamHeader[] = [];
  const reason = scan(inputSchema, [], true, headers);
  return reason === undefined ? { ok: true, headers } : { ok: false, reason };
}

function scan(schema: unknown, path: readonly string[], reachable: boolean, found: ParamHeader[]): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (Object.hasOwn(schema, ANNOTATION)) {
    const fault = annotation(schema, path, reachable, found);
    if (fault !== undefined) return `${ANNOTATION} at ${pathText(path)} ${fault}`;
  }
  const properties = own(schema, 'properties');
  if (isJsonObject(properties)) {
    for (const [name, child] of Object.entries(properties)) {
      const fault = scan(child, [...path, name], reachable, found);
      if (fault !== undefined) return fault;
    }
  }
  for (const keyword of SCHEMA_KEYWORDS) {
    const value = own(schema, keyword);
    const fault = scanAll(Array.isArray(value) ? value : [value], path, keyword, found);
    if (fault !== undefined) return fault;
  }
  for (const keyword of SCHEMA_MAP_KEYWORDS) {
    const value = own(schema, keyword);
    const fault = isJsonObject(value) ? scanAll(Object.values(value), path, keyword, found) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function scanAll(schemas: readonly unknown[], path: readonly string[], keyword: string, found: ParamHeader[]) {
  for (const schema of schemas) {
    const fault = scan(schema, [...path, keyword], false, found);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function annotation(
  schema: JsonObject,
  path: readonly string[],
  reachable: boolean,
  found: ParamHeader[],
): string | undefined {
  const name = schema[ANNOTATION];
  const type = own(schema, 'type');
  if (!reachable || path.length === 0) return 'is not reachable through properties alone';
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'is no HTTP field-name token';
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') return 'is on no string, integer or boolean';
  const field = PARAM_HEADER_PREFIX + name.toLowerCase();
  if (found.some((other) => other.field === field)) return 'repeats a name';
  found.push({ field, path, type });
  return undefined;
}

function pathText(path: readonly string[]): string {
  return path.length === 0 ? 'the root' : stripControl(path.join('.'), 120);
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const key of path) {
    if (!isJsonObject(value)) return undefined;
    value = own(value, key);
  }
  return value;
}

/** The header's text before encoding; `undefined` where no header is expected: no value, `null`, or no primitive. */
function primitiveText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      // Past the safe range the digits of the body are lost to every parser that reads doubles, so none are claimed.
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? String(value)
        : undefined;
    default:
      return undefined;
  }
}

/** Adds to `target` the headers that a call of this tool must carry. */
export function addParamHeaders(
  target: Record<string, string>,
  headers: readonly ParamHeader[],
  args: unknown,
): Record<string, string> {
  for (const { field, path } of headers) {
    const text = primitiveText(valueAt(args, path));
    if (text !== undefined) target[field] = encodeHeaderValue(text);
  }
  return target;
}

/** The header, that a refusal for want of it asks for (`HeaderFault`); `undefined` when that is not what `data` says. */
export function missingParamHeader(data: unknown): ParamHeader | undefined {
  const { header, path } = isJsonObject(data) ? data : {};
  if (typeof header !== 'string' || !header.startsWith(PARAM_HEADER_PREFIX) || !TOKEN.test(header)) return undefined;
  if (!Array.isArray(path) || !path.every((key) => typeof key === 'string')) return undefined;
  return { field: header, path, type: 'string' };
}

export interface HeaderFault {
  /** A name in the error catalogue. */
  readonly error: 'header_mismatch';
  /** Holds nothing of the values, so that what a client marks for headers does not come back in logs. */
  readonly detail: string;
  /** `path`: where in the arguments the value of a missing header stands, for clients that do not know the tool's schema. */
  readonly data: { readonly header: string; readonly path?: readonly string[] };
}

export function headerFault(header: string, what: string): HeaderFault {
  return { error: 'header_mismatch', detail: `${header} ${what}`, data: { header } };
}

/**
 * Compares the headers of a call with its arguments: each annotated argument that has a value must be mirrored, and
 * each recognised header must be well-formed. A header for an absent or `null` argument is not expected and not judged.
 */
export function checkParamHeaders(
  incoming: IncomingHeaders,
  headers: readonly ParamHeader[],
  args: unknown,
): HeaderFault | undefined {
  for (const { field, path, type } of headers) {
    const raw = incoming[field];
    const text = typeof raw === 'string' ? decodeHeaderValue(raw) : undefined;
    if (raw !== undefined && text === undefined) return headerFault(field, 'has invalid characters or encoding');
    const value = valueAt(args, path);
    const expected = primitiveText(value);
    if (expected === undefined) continue;
    if (text === undefined) return { ...headerFault(field, 'is missing'), data: { header: field, path } };
    if (text !== expected && !(type === 'integer' && isSameNumber(text, value))) {
      return headerFault(field, 'differs from the argument in the body');
    }
  }
  return undefined;
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** `42.0` and `42` are equal ("Server Validation"). Only plain decimals of the safe range: a longer one would be rounded. */
function isSameNumber(text: string, value: unknown): boolean {
  return typeof value === 'number' && text.length <= 32 && DECIMAL.test(text) && isExactly(text, value);
}

/** The fraction must be zeros where the value is whole, however many digits a double would round away. */
function isExactly(text: string, value: number): boolean {
  if (Number(text) !== value) return false;
  return !Number.isInteger(value) || /^-?\d+(?:\.0+)?$/.test(text);
}

/** The client's `Mcp-Param-*` that the tool does not declare: an intermediary must forward them. */
export function forwardedParamHeaders(
  incoming: IncomingHeaders,
  headers: readonly ParamHeader[],
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const [field, value] of Object.entries(incoming)) {
    if (!field.startsWith(PARAM_HEADER_PREFIX) || typeof value !== 'string') continue;
    if (TOKEN.test(field) && !headers.some((known) => known.field === field)) forwarded[field] = value;
  }
  return forwarded;
}
