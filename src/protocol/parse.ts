/**
 * Text → JSON-RPC messages: the one door by which bytes from outside become messages.
 *
 * Never throws and never blocks for longer than the text's length explains. A message that comes out as `request`,
 * `notification` or `response` has the types of `jsonrpc.ts`; it is the object that `JSON.parse` made, so a member
 * named `__proto__` is an own member like any other. Copy with spread or `Object.fromEntries`, never by assignment.
 *
 * Source: JSON-RPC 2.0; MCP specification, "Base Protocol › Messages" (ids are strings or integers, never null; params
 * and results are objects). Stricter than both in one point: names that stand twice are refused (`scan.ts`).
 */
import {
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcFailure,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from './jsonrpc.js';
import { hasMoreNames, scanFrame, type NameFault } from './scan.js';

export type FrameFault =
  'parse_error' | 'invalid_request' | 'invalid_params' | 'too_deep' | 'too_many_values' | 'duplicate_key';

export interface InvalidFrame {
  readonly kind: 'invalid';
  /** The id to answer with: `null` when it is missing, no valid id, or in doubt. */
  readonly id: JsonRpcId | null;
  /** A name in the error catalogue (`errors.ts`). */
  readonly error: FrameFault;
  /** One sentence. Holds nothing of the input, so it is safe in logs and terminals. */
  readonly detail: string;
}

export type ParsedMessage =
  | { readonly kind: 'request'; readonly message: JsonRpcRequest }
  | { readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | { readonly kind: 'response'; readonly message: JsonRpcResponse }
  | InvalidFrame;

/** A batch's items are never batches, and there is at least one. */
export type ParsedFrame = ParsedMessage | { readonly kind: 'batch'; readonly items: readonly ParsedMessage[] };

export interface ParseLimits {
  /** Levels of arrays and objects, the envelope included. JSON schemas and tool results in the field stay below 40. */
  readonly maxDepth: number;
  /** Messages in a batch: each costs an answer, so a short text must not cause millions. */
  readonly maxBatch?: number;
  /** Members and elements in a frame. Absent: as many as fit the text. */
  readonly maxValues?: number;
  /** Member names in a frame that differ: each costs `JSON.parse` more than ten values. Absent: as many as fit. */
  readonly maxNames?: number;
}

export const DEFAULT_PARSE_LIMITS = { maxDepth: 128, maxBatch: 100 } as const satisfies ParseLimits;

/** For what clients send: no frame may keep the event loop busy for long. */
export const CLIENT_LIMITS = {
  ...DEFAULT_PARSE_LIMITS,
  maxValues: 100_000,
  maxNames: 10_000,
} as const satisfies ParseLimits;

/** Parses one frame: an HTTP body, a WebSocket text message, a line of stdio, the data of one SSE event. */
export function parseFrame(text: string, limits: ParseLimits = DEFAULT_PARSE_LIMITS): ParsedFrame {
  const { maxNames = Infinity } = limits;
  const scan = scanFrame(text, limits.maxDepth, limits.maxValues, maxNames);
  if (scan.tooDeep) return invalid(null, 'too_deep', `nested deeper than ${limits.maxDepth} levels`);
  if (scan.values === 'too_many' || (scan.values === 'many' && hasMoreNames(text, maxNames)))
    return invalid(null, 'too_many_values', `more than ${limits.maxValues} values or ${maxNames} different names`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid(null, 'parse_error', 'the text is not valid JSON');
  }
  if (!Array.isArray(value)) return classify(value, scan.faults?.get(0));
  return batch(value, scan.faults, limits.maxBatch ?? DEFAULT_PARSE_LIMITS.maxBatch);
}

function batch(
  items: readonly unknown[],
  faults: ReadonlyMap<number, NameFault> | undefined,
  max: number,
): ParsedFrame {
  if (items.length === 0) return invalid(null, 'invalid_request', 'a batch must not be empty');
  if (items.length > max) return invalid(null, 'invalid_request', `a batch holds at most ${max} messages`);
  return { kind: 'batch', items: items.map((item, index) => classify(item, faults?.get(index))) };
}

/** Members of a JSON value are never `undefined`, so a missing member reads as `undefined` and nothing else does. */
function classify(value: unknown, fault: NameFault | undefined): ParsedMessage {
  if (!isJsonObject(value)) return invalid(null, 'invalid_request', 'a message must be a JSON object');
  const { id } = value;
  if (fault !== undefined) {
    return invalid(isJsonRpcId(id) && !fault.idInDoubt ? id : null, 'duplicate_key', fault.detail);
  }
  if (value['jsonrpc'] !== '2.0') return refuse(value, 'jsonrpc must be "2.0"');
  return value['method'] === undefined ? response(value) : call(value);
}

function call(value: JsonObject): ParsedMessage {
  const { id, method, params, result, error } = value;
  if (id !== undefined && !isJsonRpcId(id)) return refuse(value, BAD_ID);
  if (typeof method !== 'string') return refuse(value, 'method must be a string');
  if (result !== undefined || error !== undefined) {
    return refuse(value, 'a message with a method has no result or error');
  }
  if (params !== undefined && !isJsonObject(params)) {
    // JSON-RPC knows lists of parameters, so the message is one; a notification has no answer that could say more.
    return id === undefined ? refuse(value, BAD_PARAMS) : invalid(id, 'invalid_params', BAD_PARAMS);
  }
  // The casts assert exactly what has been checked; copying the message to please the types would cost.
  if (id !== undefined) return { kind: 'request', message: value as unknown as JsonRpcRequest };
  return { kind: 'notification', message: value as unknown as JsonRpcNotification };
}

function response(value: JsonObject): ParsedMessage {
  const { id, params, result, error } = value;
  if ((result === undefined) === (error === undefined)) {
    return refuse(value, 'a message has a method, or else exactly one of result and error');
  }
  if (params !== undefined) return refuse(value, 'a response has no params');
  if (error !== undefined) return failure(value, id, error);
  if (!isJsonRpcId(id)) return refuse(value, BAD_ID);
  if (!isJsonObject(result)) return refuse(value, 'result must be an object');
  return { kind: 'response', message: value as unknown as JsonRpcResponse };
}

function failure(value: JsonObject, id: unknown, error: unknown): ParsedMessage {
  // The answer to a message whose id could not be read carries null, or no id at all (MCP 2025-11-25).
  if (id !== undefined && id !== null && !isJsonRpcId(id)) return refuse(value, BAD_ID);
  if (!isJsonObject(error)) return refuse(value, 'error must be an object');
  if (!Number.isSafeInteger(error['code'])) return refuse(value, 'error.code must be an integer');
  if (typeof error['message'] !== 'string') return refuse(value, 'error.message must be a string');
  const message = value as unknown as JsonRpcFailure;
  return { kind: 'response', message: id === undefined ? { ...message, id: null } : message };
}

const BAD_ID = 'id must be a string or an integer';
const BAD_PARAMS = 'params must be an object';

function refuse(value: JsonObject, detail: string): InvalidFrame {
  const { id } = value;
  return invalid(isJsonRpcId(id) ? id : null, 'invalid_request', detail);
}

function invalid(id: JsonRpcId | null, error: FrameFault, detail: string): InvalidFrame {
  return { kind: 'invalid', id, error, detail };
}
