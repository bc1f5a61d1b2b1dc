/**
 * The gateway's own requests to an upstream: `initialize`, then its lists, page by page. Pure, but for the function that
 * sends a request and resolves with its answer.
 *
 * Sources: MCP specification 2025-11-25, "Base Protocol › Lifecycle", "Server Features › Utilities › Pagination".
 */
import { isJsonObject, type JsonObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import {
  isLegacyRevision,
  LATEST_LEGACY_REVISION,
  LEGACY_REVISIONS,
  type LegacyRevision,
  type ModernRevision,
} from '../protocol/revisions.js';
import { type CacheHints, combineCacheHints, NO_CACHING, readCacheHints } from '../protocol/modern/caching.js';
import { type Discovered } from '../protocol/modern/discover.js';
import { stripControl } from '../protocol/text.js';
import { type Listing } from '../routing/routing-table.js';
import { type Era } from './upstream-gate.js';

/** Sends one request; resolves with its answer. Rejects when the session ends first. */
export type OwnRequest = (method: string, params?: JsonObject) => Promise<JsonRpcResponse>;

/** What `initialize` told. */
export interface ServerFacts {
  readonly era: Era;
  readonly protocolVersion: LegacyRevision | ModernRevision;
  readonly serverInfo: { readonly name: string; readonly version: string } | null;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

/** The upstream answered, but not as the protocol says. The message is for people. */
export class HandshakeError extends Error {}

/** Pages of one list that are read before it is cut. */
const MAX_PAGES = 1_000;
/** Entries of one list. */
const MAX_ENTRIES = 50_000;

/** Of a session that serves one client alone: it lists nothing. */
export const NO_LISTING: Listing = {
  tools: [],
  prompts: [],
  resources: [],
  resourceTemplates: [],
  capabilities: {},
  instructions: undefined,
  hints: NO_CACHING,
};

/**
 * A shared session announces every capability, because servers list tools by what their client can be asked
 * (server-everything does). What such a tool then asks over the shared session is refused: no client can be meant.
 */
export const ALL_CAPABILITIES: JsonObject = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

/** `client`: whose session it is to be, with what the server may ask of it; `null` for a session that clients share. */
export async function initialize(
  request: OwnRequest,
  version: string,
  client: { readonly capabilities: JsonObject; readonly info: JsonObject | undefined } | null,
): Promise<ServerFacts> {
  const answer = await request('initialize', {
    protocolVersion: LATEST_LEGACY_REVISION,
    capabilities: client?.capabilities ?? ALL_CAPABILITIES,
    clientInfo: client?.info ?? { name: 'viable', title: 'Viable MCP gateway', version },
  });
  const result = resultOf(answer, 'initialize');
  const protocolVersion = result['protocolVersion'];
  if (!isLegacyRevision(protocolVersion)) {
    const said = stripControl(String(protocolVersion), 40);
    throw new HandshakeError(`speaks protocol version "${said}"; this gateway knows ${LEGACY_REVISIONS.join(', ')}`);
  }
  const { capabilities, instructions } = result;
  return {
    era: 'legacy',
    protocolVersion,
    serverInfo: readServerInfo(result['serverInfo']),
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  };
}

/** What a modern server's `server/discover` told; one that refused to tell has everything, until its lists say otherwise. */
export function modernFacts(version: ModernRevision, discovered: Discovered | undefined): ServerFacts {
  return {
    era: 'modern',
    protocolVersion: version,
    serverInfo: readServerInfo(discovered?.serverInfo),
    capabilities: discovered?.capabilities ?? { tools: {}, prompts: {}, resources: {} },
    instructions: discovered?.instructions,
  };
}

/**
 * Everything that the server's capabilities promise. `onOdd` hears of entries and lists that are left out. A list that
 * the server refuses is as it was in `known`.
 */
export async function listAll(
  request: OwnRequest,
  facts: ServerFacts,
  onOdd: (what: string) => void,
  known: Listing = NO_LISTING,
): Promise<Listing> {
  const { capabilities, instructions } = facts;
  const none = Promise.resolve([]);
  const hints: CacheHints[] = [];
  const ask: OwnRequest = async (method, params) => {
    const answer = await request(method, params);
    if ('result' in answer) hints.push(facts.era === 'modern' ? readCacheHints(answer.result) : NO_CACHING);
    return answer;
  };
  const list = (method: string, member: ListName, key: string): Promise<readonly JsonObject[]> =>
    listOne(ask, method, member, key, onOdd, known);
  const [tools, prompts, resources, resourceTemplates] = await Promise.all([
    'tools' in capabilities ? list('tools/list', 'tools', 'name') : none,
    'prompts' in capabilities ? list('prompts/list', 'prompts', 'name') : none,
    'resources' in capabilities ? list('resources/list', 'resources', 'uri') : none,
    'resources' in capabilities ? list('resources/templates/list', 'resourceTemplates', 'uriTemplate') : none,
  ]);
  return { tools, prompts, resources, resourceTemplates, capabilities, instructions, hints: combineCacheHints(hints) };
}

type ListName = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

async function listOne(
  request: OwnRequest,
  method: string,
  member: ListName,
  key: string,
  onOdd: (what: string) => void,
  known: Listing,
): Promise<readonly JsonObject[]> {
  const entries: JsonObject[] = [];
  let odd = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const answer = await request(method, cursor === undefined ? undefined : { cursor });
    if ('error' in answer) {
      // A capability that is announced and not served costs that list, not the server.
      onOdd(`${method} failed: ${stripControl(answer.error.message, 200)}`);
      return known[member].length > 0 ? known[member] : entries;
    }
    const items = answer.result[member];
    for (const item of Array.isArray(items) ? items : []) {
      if (isJsonObject(item) && typeof item[key] === 'string') entries.push(item);
      else odd += 1;
    }
    const next = answer.result['nextCursor'];
    const last = typeof next !== 'string' || next === cursor;
    if (last || entries.length >= MAX_ENTRIES || page === MAX_PAGES) {
      const served = Math.min(entries.length, MAX_ENTRIES);
      if (!last) onOdd(`${method}: only the first ${served} entries, of ${page} pages, are served`);
      break;
    }
    cursor = next;
  }
  if (odd > 0) onOdd(`${method}: ${odd} entries without a "${key}" were left out`);
  return entries.slice(0, MAX_ENTRIES);
}

function resultOf(answer: JsonRpcResponse, method: string): JsonObject {
  if ('error' in answer) {
    throw new HandshakeError(`refused ${method}: ${stripControl(answer.error.message, 200)} (${answer.error.code})`);
  }
  return answer.result;
}

function readServerInfo(info: unknown): { name: string; version: string } | null {
  if (!isJsonObject(info)) return null;
  return { name: textOf(info['name'], 80), version: textOf(info['version'], 40) };
}

function textOf(value: unknown, max: number): string {
  return typeof value === 'string' ? stripControl(value, max) : '';
}
