/**
 * The methods of both eras: who may send them and where the gateway takes them. Names without a prefix are of the
 * legacy era (2024-11-05 … 2025-11-25), `MODERN_…` of the modern one (2026-07-28).
 *
 * Source: `ClientRequest`, `ClientNotification`, `ServerRequest` and `ServerNotification` in each revision's schema.
 * Not served: the experimental tasks of 2025-11-25 (`tasks/*`), for the gateway announces no `tasks` capability.
 *
 * Lookups go through Maps, so a method named `__proto__` or `constructor` is unknown like any other.
 */

import { type JsonObject } from './jsonrpc.js';

/** How a client's request finds its answer. */
export type RequestRoute =
  /** The gateway answers from its own state. */
  | 'gateway'
  /** The upstream that owns the tool `params.name`. */
  | 'tool'
  /** The upstream that owns the prompt `params.name`. */
  | 'prompt'
  /** The upstream that lists `params.uri` or has a template for it. */
  | 'resource'
  /** The upstream that owns the prompt or template that `params.ref` names. */
  | 'completion';

/** Server capability without which the method does not exist. */
export type ServerCapability = 'tools' | 'prompts' | 'resources' | 'completions' | 'logging';

export interface RequestRule {
  readonly method: string;
  readonly route: RequestRoute;
  readonly capability?: ServerCapability;
  /** May be sent before `initialize` is done. */
  readonly beforeInitialized?: true;
}

const CLIENT_REQUEST_RULES = [
  { method: 'initialize', route: 'gateway', beforeInitialized: true },
  { method: 'ping', route: 'gateway', beforeInitialized: true },
  { method: 'tools/list', route: 'gateway', capability: 'tools' },
  { method: 'tools/call', route: 'tool', capability: 'tools' },
  { method: 'prompts/list', route: 'gateway', capability: 'prompts' },
  { method: 'prompts/get', route: 'prompt', capability: 'prompts' },
  { method: 'resources/list', route: 'gateway', capability: 'resources' },
  { method: 'resources/templates/list', route: 'gateway', capability: 'resources' },
  { method: 'resources/read', route: 'resource', capability: 'resources' },
  { method: 'resources/subscribe', route: 'resource', capability: 'resources' },
  { method: 'resources/unsubscribe', route: 'resource', capability: 'resources' },
  { method: 'completion/complete', route: 'completion', capability: 'completions' },
  { method: 'logging/setLevel', route: 'gateway', capability: 'logging' },
] as const satisfies readonly RequestRule[];

export type ClientRequestMethod = (typeof CLIENT_REQUEST_RULES)[number]['method'];

/** Requests that a client may send, by method. */
export const CLIENT_REQUESTS: ReadonlyMap<string, RequestRule & { readonly method: ClientRequestMethod }> = new Map(
  CLIENT_REQUEST_RULES.map((rule) => [rule.method, rule]),
);

/** Where a notification goes. */
export type NotificationRoute =
  /** Consumed: it changes the gateway's own state of the session. */
  | 'gateway'
  /** To the peer of one request: by `params.requestId` or `params.progressToken`, both rewritten. */
  | 'request'
  /** To every session it concerns: a list changed, a resource was updated, a log record. */
  | 'sessions'
  /** To the upstreams that were told of the client's capability. */
  | 'upstreams';

export interface NotificationRule {
  readonly method: string;
  readonly route: NotificationRoute;
}

const CLIENT_NOTIFICATION_RULES = [
  { method: 'notifications/initialized', route: 'gateway' },
  { method: 'notifications/cancelled', route: 'request' },
  { method: 'notifications/progress', route: 'request' },
  { method: 'notifications/roots/list_changed', route: 'upstreams' },
] as const satisfies readonly NotificationRule[];

const SERVER_NOTIFICATION_RULES = [
  { method: 'notifications/cancelled', route: 'request' },
  { method: 'notifications/progress', route: 'request' },
  { method: 'notifications/message', route: 'sessions' },
  { method: 'notifications/tools/list_changed', route: 'gateway' },
  { method: 'notifications/prompts/list_changed', route: 'gateway' },
  { method: 'notifications/resources/list_changed', route: 'gateway' },
  { method: 'notifications/resources/updated', route: 'sessions' },
  { method: 'notifications/elicitation/complete', route: 'sessions' },
] as const satisfies readonly NotificationRule[];

export type ClientNotificationMethod = (typeof CLIENT_NOTIFICATION_RULES)[number]['method'];
export type ServerNotificationMethod = (typeof SERVER_NOTIFICATION_RULES)[number]['method'];

/** Notifications that a client may send, by method. */
export const CLIENT_NOTIFICATIONS: ReadonlyMap<
  string,
  NotificationRule & { readonly method: ClientNotificationMethod }
> = new Map(CLIENT_NOTIFICATION_RULES.map((rule) => [rule.method, rule]));

/**
 * Notifications that an upstream may send, by method. `list_changed` stops at the gateway: the catalogue lists anew and
 * tells the sessions itself, once their merged list has really changed.
 */
export const SERVER_NOTIFICATIONS: ReadonlyMap<
  string,
  NotificationRule & { readonly method: ServerNotificationMethod }
> = new Map(SERVER_NOTIFICATION_RULES.map((rule) => [rule.method, rule]));

/** Client capability that an upstream's request needs; `undefined` = none. */
export interface ServerRequestRule {
  readonly method: string;
  readonly capability?: 'sampling' | 'elicitation' | 'roots';
}

const SERVER_REQUEST_RULES = [
  { method: 'ping' },
  { method: 'sampling/createMessage', capability: 'sampling' },
  { method: 'elicitation/create', capability: 'elicitation' },
  { method: 'roots/list', capability: 'roots' },
] as const satisfies readonly ServerRequestRule[];

export type ServerRequestMethod = (typeof SERVER_REQUEST_RULES)[number]['method'];

/** Requests that an upstream may send, by method. `ping` is answered by the gateway. */
export const SERVER_REQUESTS: ReadonlyMap<string, ServerRequestRule & { readonly method: ServerRequestMethod }> =
  new Map(SERVER_REQUEST_RULES.map((rule) => [rule.method, rule]));

export interface ModernRequestRule {
  readonly method: string;
  /** `stream`: the answer is a stream of notifications that stays open, `subscriptions/listen`. */
  readonly route: RequestRoute | 'stream';
  readonly capability?: ServerCapability;
  /** May be answered with `input_required` (specification, "Multi Round-Trip Requests › Supported Requests"). */
  readonly multiRoundTrip?: true;
  /** A complete result carries `ttlMs` and `cacheScope` (specification, "Caching › Cacheable Results"). */
  readonly cacheable?: true;
}

const MODERN_CLIENT_REQUEST_RULES = [
  { method: 'server/discover', route: 'gateway', cacheable: true },
  { method: 'tools/list', route: 'gateway', capability: 'tools', cacheable: true },
  { method: 'tools/call', route: 'tool', capability: 'tools', multiRoundTrip: true },
  { method: 'prompts/list', route: 'gateway', capability: 'prompts', cacheable: true },
  { method: 'prompts/get', route: 'prompt', capability: 'prompts', multiRoundTrip: true },
  { method: 'resources/list', route: 'gateway', capability: 'resources', cacheable: true },
  { method: 'resources/templates/list', route: 'gateway', capability: 'resources', cacheable: true },
  { method: 'resources/read', route: 'resource', capability: 'resources', multiRoundTrip: true, cacheable: true },
  { method: 'completion/complete', route: 'completion', capability: 'completions' },
  { method: 'subscriptions/listen', route: 'stream' },
] as const satisfies readonly ModernRequestRule[];

export type ModernRequestMethod = (typeof MODERN_CLIENT_REQUEST_RULES)[number]['method'];

/** Requests that a client may send in the modern era, by method. Any other is 404 with −32601 over HTTP. */
export const MODERN_CLIENT_REQUESTS: ReadonlyMap<string, ModernRequestRule & { readonly method: ModernRequestMethod }> =
  new Map(MODERN_CLIENT_REQUEST_RULES.map((rule) => [rule.method, rule]));

/** What a legacy server asked its client and a modern one puts into `inputRequests`. */
export const INPUT_REQUEST_METHODS = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type InputRequestMethod = (typeof INPUT_REQUEST_METHODS)[number];

export function isInputRequestMethod(value: unknown): value is InputRequestMethod {
  return (INPUT_REQUEST_METHODS as readonly unknown[]).includes(value);
}

/** Log levels of RFC 5424 as MCP spells them, least severe first (specification, "Utilities › Logging"). */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return (LOG_LEVELS as readonly unknown[]).includes(value);
}

/** The tool or prompt that a request names, `''` for none. */
export function targetOf(method: string, params: JsonObject | undefined): string {
  if (params === undefined || (method !== 'tools/call' && method !== 'prompts/get')) return '';
  const name = params['name'];
  return typeof name === 'string' ? name : '';
}
