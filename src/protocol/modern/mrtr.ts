/**
 * Multi-round-trip requests: an interim result that asks the client for input, the retry that brings it, and the
 * translation of both to and from the requests that legacy servers send to their clients.
 *
 * Invariants: `requestState` is never looked into and comes back byte for byte; keys are the server's and stay; what a
 * translation adds (an elicitation id) or removes (the same, a progress token) is named here and nowhere else.
 *
 * Source: MCP specification 2026-07-28, "Patterns › Multi Round-Trip Requests"; `InputRequest` and `InputResponse` in
 * its schema; 2025-11-25, "Client Features".
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
  type JsonRpcRequest,
} from '../jsonrpc.js';
import { type InputRequestMethod, isInputRequestMethod } from '../methods.js';
import { resultType } from './envelope.js';
import { SERVER_INFO_KEY, withoutMeta } from './meta.js';

/** What a server wants of the client: a request without id and `jsonrpc`. */
export interface InputRequest {
  readonly method: InputRequestMethod;
  readonly params?: JsonObject;
}

/** By the server's key, in the server's order. */
export type InputRequests = ReadonlyMap<string, InputRequest>;
export type InputResponses = ReadonlyMap<string, JsonObject>;

export interface InputRequired {
  /** Empty where the server only wants to be asked again. */
  readonly requests: InputRequests;
  readonly requestState: string | undefined;
}

/** Reads an `InputRequiredResult`, or says what is wrong with it. */
export function readInputRequired(result: JsonObject): InputRequired | { readonly fault: string } {
  const { inputRequests, requestState } = result;
  if (resultType(result) !== 'input_required') return { fault: 'resultType is not "input_required"' };
  if (requestState !== undefined && typeof requestState !== 'string') return { fault: 'requestState is no string' };
  if (inputRequests === undefined) {
    return requestState === undefined
      ? { fault: 'neither inputRequests nor requestState' }
      : { requests: new Map(), requestState };
  }
  if (!isJsonObject(inputRequests)) return { fault: 'inputRequests is no object' };
  const requests = new Map<string, InputRequest>();
  for (const [key, value] of Object.entries(inputRequests)) {
    if (!isInputRequest(value)) return { fault: 'an input request is none that a server may send' };
    requests.set(key, value);
  }
  return { requests, requestState };
}

function isInputRequest(value: unknown): value is InputRequest & JsonObject {
  if (!isJsonObject(value) || !isInputRequestMethod(value['method'])) return false;
  const { params } = value;
  return value['method'] === 'roots/list' ? params === undefined || isJsonObject(params) : isJsonObject(params);
}

/** Builds an `InputRequiredResult`. One of `requests` and `requestState` must be there. */
export function inputRequiredResult(
  requests: InputRequests,
  requestState: string | undefined,
  serverInfo: JsonObject,
): JsonObject {
  return {
    resultType: 'input_required',
    ...(requests.size > 0 && { inputRequests: Object.fromEntries(requests) }),
    ...(requestState !== undefined && { requestState }),
    _meta: { [SERVER_INFO_KEY]: serverInfo },
  };
}

/** What a retry brings. `undefined` responses: the request has none, so it is no retry or answers only a state. */
export interface Retry {
  readonly responses: InputResponses | undefined;
  readonly requestState: string | undefined;
}

export interface RetryFault {
  readonly error: 'invalid_input_responses' | 'invalid_request_state';
  readonly detail: string;
  readonly data?: { readonly key: string };
}

/** Reads what the params of a request bring as a retry. */
export function readRetry(params: JsonObject | undefined): Retry | RetryFault {
  const { inputResponses, requestState } = params ?? {};
  if (requestState !== undefined && typeof requestState !== 'string') {
    return { error: 'invalid_request_state', detail: 'must be a string' };
  }
  if (inputResponses === undefined) return { responses: undefined, requestState };
  if (!isJsonObject(inputResponses)) return { error: 'invalid_input_responses', detail: 'must be an object' };
  const responses = new Map<string, JsonObject>();
  for (const [key, value] of Object.entries(inputResponses)) {
    if (!isJsonObject(value)) {
      return { error: 'invalid_input_responses', detail: 'an entry is no object', data: { key: key.slice(0, 128) } };
    }
    responses.set(key, value);
  }
  return { responses, requestState };
}

export interface MatchedResponses {
  /** The answers to what was asked, by key. What was not asked is left out: servers ignore it. */
  readonly answered: InputResponses;
  /** What must be asked for again, with a new `InputRequiredResult`. */
  readonly missing: InputRequests;
}

/** Holds the client's responses against what it was asked for. Checks the shape that their readers rely on, no more. */
export function matchResponses(requests: InputRequests, responses: InputResponses): MatchedResponses | RetryFault {
  const answered = new Map<string, JsonObject>();
  const missing = new Map<string, InputRequest>();
  for (const [key, request] of requests) {
    const response = responses.get(key);
    if (response === undefined) {
      missing.set(key, request);
    } else if (isResultOf(request.method, response)) {
      answered.set(key, response);
    } else {
      const detail = `an entry is no result of ${request.method}`;
      return { error: 'invalid_input_responses', detail, data: { key: key.slice(0, 128) } };
    }
  }
  return { answered, missing };
}

function isResultOf(method: InputRequestMethod, result: JsonObject): boolean {
  switch (method) {
    case 'elicitation/create':
      return (
        ['accept', 'decline', 'cancel'].includes(String(result['action'])) &&
        (result['content'] === undefined || isJsonObject(result['content']))
      );
    case 'sampling/createMessage':
      return (
        typeof result['role'] === 'string' &&
        typeof result['model'] === 'string' &&
        (isJsonObject(result['content']) || Array.isArray(result['content']))
      );
    case 'roots/list':
      return Array.isArray(result['roots']);
  }
}

/** The params of the retry of a request: its own, the answers, and the state as it was given. The id must be a new one. */
export function retryParams(
  params: JsonObject | undefined,
  responses: InputResponses | undefined,
  requestState: string | undefined,
): JsonObject {
  return {
    ...originalParams(params),
    ...(responses !== undefined && { inputResponses: Object.fromEntries(responses) }),
    ...(requestState !== undefined && { requestState }),
  };
}

/** The params without what a retry adds: as a legacy upstream may see them. Same object where there is nothing to remove. */
export function originalParams(params: JsonObject | undefined): JsonObject | undefined {
  if (params === undefined || !('inputResponses' in params || 'requestState' in params)) return params;
  const original = { ...params };
  delete original['inputResponses'];
  delete original['requestState'];
  return original;
}

/**
 * A legacy server's request to its client as an input request; `undefined` for one that is none (`ping`) or malformed.
 * URL elicitations lose their `elicitationId`, which the modern era removed, and any request its progress token: the
 * client sends no notifications.
 */
export function fromLegacyRequest(request: JsonRpcRequest): InputRequest | undefined {
  const { method, params } = request;
  const input: unknown = params === undefined ? { method } : { method, params: modernInputParams(method, params) };
  return isInputRequest(input) ? input : undefined;
}

function modernInputParams(method: string, params: JsonObject): JsonObject {
  const bare = withoutMeta(params, ['progressToken']);
  if (method !== 'elicitation/create' || !('elicitationId' in bare)) return bare;
  const anonymous = { ...bare };
  delete anonymous['elicitationId'];
  return anonymous;
}

/**
 * An input request as a legacy server would have sent it. `elicitationId` is given to URL elicitations, which need one
 * there; it must be new.
 */
export function toLegacyRequest(input: InputRequest, id: JsonRpcId, elicitationId: string): JsonRpcRequest {
  const { method, params } = input;
  if (params === undefined) return { jsonrpc: '2.0', id, method };
  const isUrl = method === 'elicitation/create' && params['mode'] === 'url';
  return { jsonrpc: '2.0', id, method, params: isUrl ? { ...params, elicitationId } : params };
}

/** A result between `inputResponses` and a legacy answer, either way: the same object but for `resultType`. */
export function bareResult(result: JsonObject): JsonObject {
  if (!('resultType' in result)) return result;
  const bare = { ...result };
  delete bare['resultType'];
  return bare;
}

/**
 * What a legacy client's error answer becomes. Input responses have no errors: a failed elicitation is a cancelled one;
 * for the others there is nothing truthful to say, and the caller answers the client's call with the error instead.
 */
export function responseToFailure(method: InputRequestMethod): JsonObject | undefined {
  return method === 'elicitation/create' ? { action: 'cancel' } : undefined;
}

/** URL elicitation required: an error of 2025-11-25, which modern servers must not send. */
export const URL_ELICITATION_REQUIRED = -32042;

/**
 * The URL elicitations that a legacy server's −32042 asks for, keyed `url-0`, `url-1` …; `undefined` for any other
 * error. The client that has answered them sends the call again, and so does the gateway: nothing is parked.
 */
export function fromUrlElicitationError(error: JsonRpcErrorObject): InputRequests | undefined {
  if (error.code !== URL_ELICITATION_REQUIRED || !isJsonObject(error.data)) return undefined;
  const { elicitations } = error.data;
  if (!Array.isArray(elicitations) || elicitations.length === 0) return undefined;
  const requests = new Map<string, InputRequest>();
  for (const params of elicitations as readonly unknown[]) {
    if (!isJsonObject(params) || params['mode'] !== 'url' || typeof params['url'] !== 'string') return undefined;
    const method = 'elicitation/create';
    requests.set(`url-${requests.size}`, { method, params: modernInputParams(method, params) });
  }
  return requests;
}
