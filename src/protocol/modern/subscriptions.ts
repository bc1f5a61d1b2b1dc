/**
 * `subscriptions/listen`: filters, the notifications of the stream and its end.
 *
 * Invariants: the acknowledgement comes first; every message of the stream carries the id of the listen request as its
 * receiver sent it, so on the way through the gateway ids are replaced, never passed; nothing is delivered that the
 * filter did not ask for. Progress and log notifications belong to their request and never come here.
 *
 * Source: MCP specification 2026-07-28, "Patterns › Subscriptions", "Patterns › Cancellation".
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcResult,
} from '../jsonrpc.js';
import { uriAndAbove } from '../resource-uris.js';
import { SERVER_INFO_KEY, SUBSCRIPTION_ID_KEY, withMeta } from './meta.js';

export interface SubscriptionFilter {
  readonly toolsListChanged: boolean;
  readonly promptsListChanged: boolean;
  readonly resourcesListChanged: boolean;
  /** URIs whose `notifications/resources/updated` are wanted, as their receiver names them. */
  readonly resourceSubscriptions: ReadonlySet<string>;
}

/** A fault is −32602, `invalid_params`. */
export type FilterReading =
  { readonly ok: true; readonly filter: SubscriptionFilter } | { readonly ok: false; readonly detail: string };

export interface FilterLimits {
  /** URIs in one filter. */
  readonly maxResources: number;
  /** UTF-16 units of one URI. */
  readonly maxUriLength: number;
}

export const DEFAULT_FILTER_LIMITS: FilterLimits = { maxResources: 1000, maxUriLength: 8192 };

const FLAGS = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const;

/** Reads `params.notifications` of a listen request, or of an acknowledgement. */
export function readFilter(params: JsonObject | undefined, limits = DEFAULT_FILTER_LIMITS): FilterReading {
  const wanted = params?.['notifications'];
  if (!isJsonObject(wanted)) return { ok: false, detail: 'notifications must be an object' };
  for (const flag of FLAGS) {
    if (wanted[flag] !== undefined && typeof wanted[flag] !== 'boolean') {
      return { ok: false, detail: `notifications.${flag} must be a boolean` };
    }
  }
  const uris: unknown = wanted['resourceSubscriptions'] ?? [];
  if (!Array.isArray(uris)) return { ok: false, detail: 'notifications.resourceSubscriptions must be an array' };
  if (uris.length > limits.maxResources) {
    return { ok: false, detail: `notifications.resourceSubscriptions holds at most ${limits.maxResources} URIs` };
  }
  const resources = new Set<string>();
  for (const uri of uris as readonly unknown[]) {
    if (typeof uri !== 'string' || uri.length > limits.maxUriLength) {
      return { ok: false, detail: 'notifications.resourceSubscriptions holds something that is no URI' };
    }
    resources.add(uri);
  }
  return { ok: true, filter: filterOf((flag) => wanted[flag] === true, resources) };
}

function filterOf(flag: (name: (typeof FLAGS)[number]) => boolean, resources: ReadonlySet<string>): SubscriptionFilter {
  return {
    toolsListChanged: flag('toolsListChanged'),
    promptsListChanged: flag('promptsListChanged'),
    resourcesListChanged: flag('resourcesListChanged'),
    resourceSubscriptions: resources,
  };
}

/**
 * The part of a filter that a server of these capabilities can deliver. `canSubscribe` leaves out single resources,
 * such as those of an upstream without `resources.subscribe`.
 */
export function honouredFilter(
  filter: SubscriptionFilter,
  capabilities: JsonObject,
  canSubscribe: (uri: string) => boolean = () => true,
): SubscriptionFilter {
  const has = (list: string, feature: string): boolean => {
    const capability = capabilities[list];
    return isJsonObject(capability) && capability[feature] === true;
  };
  return {
    toolsListChanged: filter.toolsListChanged && has('tools', 'listChanged'),
    promptsListChanged: filter.promptsListChanged && has('prompts', 'listChanged'),
    resourcesListChanged: filter.resourcesListChanged && has('resources', 'listChanged'),
    resourceSubscriptions: has('resources', 'subscribe')
      ? new Set([...filter.resourceSubscriptions].filter(canSubscribe))
      : new Set(),
  };
}

/** True where the filter asks for nothing: its stream is acknowledged and ended. */
export function isEmptyFilter(filter: SubscriptionFilter): boolean {
  return filter.resourceSubscriptions.size === 0 && !FLAGS.some((flag) => filter[flag]);
}

/** The filter as it is written on the wire: only what is asked for. */
export function filterToWire(filter: SubscriptionFilter): JsonObject {
  const wire: JsonObject = {};
  for (const flag of FLAGS) if (filter[flag]) wire[flag] = true;
  if (filter.resourceSubscriptions.size > 0) wire['resourceSubscriptions'] = [...filter.resourceSubscriptions];
  return wire;
}

/** The first message of a stream: what of the filter is honoured. */
export function acknowledgement(id: JsonRpcId, honoured: SubscriptionFilter): JsonRpcNotification {
  return {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: filterToWire(honoured), _meta: { [SUBSCRIPTION_ID_KEY]: id } },
  };
}

/**
 * True where the filter asked for this notification. A resource counts with what lies below it: the URI of an update
 * "might be a sub-resource of the one that the client actually subscribed to".
 */
export function accepts(filter: SubscriptionFilter, { method, params }: JsonRpcNotification): boolean {
  switch (method) {
    case 'notifications/tools/list_changed':
      return filter.toolsListChanged;
    case 'notifications/prompts/list_changed':
      return filter.promptsListChanged;
    case 'notifications/resources/list_changed':
      return filter.resourcesListChanged;
    case 'notifications/resources/updated':
      return acceptsUri(filter.resourceSubscriptions, params?.['uri']);
    default:
      return false;
  }
}

function acceptsUri(wanted: ReadonlySet<string>, uri: unknown): boolean {
  if (typeof uri !== 'string' || wanted.size === 0) return false;
  for (const above of uriAndAbove(uri)) if (wanted.has(above)) return true;
  return false;
}

/** The notification for one stream. Any id that an upstream gave it is replaced. */
export function forSubscription(notification: JsonRpcNotification, id: JsonRpcId): JsonRpcNotification {
  return { ...notification, params: withMeta(notification.params ?? {}, { [SUBSCRIPTION_ID_KEY]: id }) };
}

/** The result with which the server ends a stream of its own accord. */
export function teardownResult(id: JsonRpcId, serverInfo: JsonObject): JsonRpcResult {
  const _meta = { [SUBSCRIPTION_ID_KEY]: id, [SERVER_INFO_KEY]: serverInfo };
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', _meta } };
}
