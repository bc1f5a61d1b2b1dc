/**
 * Whom a resource's update concerns: its subscribers, and those of a resource above it. Pure.
 *
 * Source: MCP specification, "Server Features › Resources › Subscriptions".
 */
import { type Ref } from '../kernel/index.js';
import { shownBelow, uriAndAbove } from '../protocol/resource-uris.js';
import { type ClientMessage } from './client-message.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Each client once, with the URI under which it knows what has changed. `uri` is the server's own. */
export function subscribersOf(
  { subscriptions }: Pick<UpstreamGate, 'subscriptions'>,
  uri: string,
): ReadonlyMap<Ref<ClientMessage>, string> {
  const found = new Map<Ref<ClientMessage>, string>();
  if (subscriptions.size === 0) return found;
  for (const own of uriAndAbove(uri)) {
    for (const [client, shown] of subscriptions.get(own) ?? []) {
      if (!found.has(client)) found.set(client, own === uri ? shown : shownBelow(uri, own, shown));
    }
  }
  return found;
}
