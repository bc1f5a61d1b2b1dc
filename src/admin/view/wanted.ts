/**
 * What somebody looks at beyond the snapshot. It can be long, so a dashboard asks for it, once a snapshot, while it is looked at
 * and not otherwise. Pure: which request that is, and what its answer holds; one definition for every dashboard.
 */
import type { AdminActor, AdminMessageInfo, AdminMethod, ConnectionSnapshot } from '../protocol.js';
import type { ToolPin } from '../snapshot/tools.js';
import type { TraceSnapshot, TracesSnapshot } from '../snapshot/traces.js';

export type Wanted =
  | { readonly what: 'connections' }
  | { readonly what: 'traces' }
  | { readonly what: 'tools'; readonly server: string }
  | { readonly what: 'messages'; readonly actor: string };

/** What came of it; the newest of each. */
export interface Looked {
  readonly connections: readonly ConnectionSnapshot[];
  /** Of the upstream that is looked at. */
  readonly tools: readonly ToolPin[];
  /** Admin messages of the actor that is looked at. */
  readonly messages: readonly AdminMessageInfo[];
  readonly traces: readonly TraceSnapshot[];
}

export const NOTHING_LOOKED: Looked = { connections: [], tools: [], messages: [], traces: [] };

const MOST_TRACES = 100;

export function requestFor(wanted: Wanted): {
  readonly method: AdminMethod;
  readonly params: Readonly<Record<string, unknown>>;
} {
  switch (wanted.what) {
    case 'connections':
      return { method: 'connections', params: {} };
    case 'traces':
      return { method: 'traces', params: { limit: MOST_TRACES } };
    case 'tools':
      return { method: 'tools', params: { server: wanted.server } };
    case 'messages':
      return { method: 'actors', params: { actor: wanted.actor } };
  }
}

/** @param result of that request */
export function lookedAt(wanted: Wanted, result: unknown): Partial<Looked> {
  switch (wanted.what) {
    case 'connections':
      return { connections: result as readonly ConnectionSnapshot[] };
    case 'traces':
      return { traces: (result as TracesSnapshot).traces };
    case 'tools':
      return { tools: result as readonly ToolPin[] };
    case 'messages': {
      const [actor] = result as readonly AdminActor[];
      return { messages: actor?.messages ?? [] };
    }
  }
}

export function sameWanted(one: Wanted | null, other: Wanted | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
