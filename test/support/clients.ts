/**
 * The official clients, unmodified, behind one small face so that one contract runs against each of them.
 *
 * `wire` records every message in the order in which the transport delivered it: order is checked there, because SDK
 * callbacks hide what comes late.
 */
import { Client as ClientV2, LOG_LEVEL_META_KEY } from '@modelcontextprotocol/client';
import {
  SSEClientTransport as SseTransportV2,
  StreamableHTTPClientTransport as HttpTransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseTransportV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as HttpTransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { type Progress, type LoggingLevel } from '@modelcontextprotocol/sdk/types.js';
import WebSocket from 'ws';
import { EventLog } from './event-log.js';
import { type Json, type Wire } from './raw-http.js';

/** Which way a client speaks: with `initialize` and a session, or with an envelope on every request (2026-07-28). */
export type ClientEra = 'legacy' | 'modern';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: Progress) => void;
}

export type CompletionReference =
  { readonly type: 'ref/prompt'; readonly name: string } | { readonly type: 'ref/resource'; readonly uri: string };

/** What the contract asks of a client. Failures reject with the SDK's own errors. */
export interface ContractClient {
  readonly wire: EventLog<Wire>;
  /** As negotiated, not as configured. */
  readonly era: ClientEra;
  readonly serverName: string | undefined;
  readonly instructions: string | undefined;
  listTools(): Promise<Json[]>;
  listPrompts(): Promise<Json[]>;
  listResources(): Promise<Json[]>;
  listResourceTemplates(): Promise<Json[]>;
  callTool(name: string, args?: Json, options?: CallOptions): Promise<Json>;
  readResource(uri: string): Promise<Json>;
  getPrompt(name: string, args?: Readonly<Record<string, string>>): Promise<Json>;
  complete(ref: CompletionReference, argument: { name: string; value: string }): Promise<Json>;
  /** Legacy: `logging/setLevel`, for the session. Modern: the envelope of every later call. */
  setLevel(level: LoggingLevel): Promise<void>;
  /** A request that the gateway answers itself: `ping`, which the modern era has no more, or `server/discover`. */
  roundTrip(): Promise<void>;
  /**
   * Opens a stream for changed lists, when the modern era is spoken; resolves with what closes it, once it is
   * acknowledged. Legacy clients hear of changes unasked: the answer is `undefined`.
   */
  listen(): Promise<(() => Promise<void>) | undefined>;
  close(): Promise<void>;
}

/** Opens a client on `base` (`http://host:port`) and a route (`/mcp` or `/mcp/s/<upstream>`). */
export type Connect = (base: string, route?: string) => Promise<ContractClient>;

const IDENTITY = { name: 'contract-client', version: '1.0.0' };

interface Page {
  readonly nextCursor?: string | undefined;
  readonly [key: string]: unknown;
}

/** All pages of a list, as the SDK v1 leaves it to its user. */
async function pages(key: string, list: (cursor: string | undefined) => Promise<Page>): Promise<Json[]> {
  const items: Json[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...(page[key] as Json[]));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

const after = (cursor: string | undefined): { cursor?: string } => (cursor === undefined ? {} : { cursor });

function recorder(): { wire: EventLog<Wire>; onmessage: (message: unknown) => void } {
  const wire = new EventLog<Wire>();
  return { wire, onmessage: (message) => wire.push(message as Wire) };
}

type TransportV1 = HttpTransportV1 | SseTransportV1 | WebSocketClientTransport;

async function openV1(transport: TransportV1): Promise<ContractClient> {
  const { wire, onmessage } = recorder();
  const client = new ClientV1(IDENTITY);
  transport.onmessage = onmessage;
  await client.connect(transport);
  return {
    wire,
    era: 'legacy',
    serverName: client.getServerVersion()?.name,
    instructions: client.getInstructions(),
    listTools: async () => await pages('tools', async (cursor) => await client.listTools(after(cursor))),
    listPrompts: async () => await pages('prompts', async (cursor) => await client.listPrompts(after(cursor))),
    listResources: async () => await pages('resources', async (cursor) => await client.listResources(after(cursor))),
    listResourceTemplates: async () =>
      await pages('resourceTemplates', async (cursor) => await client.listResourceTemplates(after(cursor))),
    callTool: async (name, args = {}, options = {}) =>
      await client.callTool({ name, arguments: args }, undefined, options),
    readResource: async (uri) => await client.readResource({ uri }),
    getPrompt: async (name, args = {}) => await client.getPrompt({ name, arguments: args }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    setLevel: async (level) => {
      await client.setLoggingLevel(level);
    },
    roundTrip: async () => {
      await client.ping();
    },
    listen: async () => undefined,
    close: async () => {
      if (transport instanceof HttpTransportV1) await transport.terminateSession();
      await client.close();
    },
  };
}

async function openV2(transport: HttpTransportV2 | SseTransportV2, mode: 'legacy' | 'auto'): Promise<ContractClient> {
  const { wire, onmessage } = recorder();
  const client = new ClientV2(IDENTITY, mode === 'legacy' ? {} : { versionNegotiation: { mode } });
  transport.onmessage = onmessage;
  await client.connect(transport);
  const modern = client.getProtocolEra() === 'modern';
  let level: LoggingLevel | undefined;
  const leveled = (): { _meta?: Json } => (level === undefined ? {} : { _meta: { [LOG_LEVEL_META_KEY]: level } });
  return {
    wire,
    era: modern ? 'modern' : 'legacy',
    serverName: client.getServerVersion()?.name,
    instructions: client.getInstructions(),
    // Without a cursor this SDK walks the pages itself.
    listTools: async () => (await client.listTools()).tools,
    listPrompts: async () => (await client.listPrompts()).prompts,
    listResources: async () => (await client.listResources()).resources,
    listResourceTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    callTool: async (name, args = {}, options = {}) =>
      await client.callTool({ name, arguments: args, ...leveled() }, options),
    readResource: async (uri) => await client.readResource({ uri }),
    getPrompt: async (name, args = {}) => await client.getPrompt({ name, arguments: args }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    setLevel: async (wanted) => {
      if (modern) level = wanted;
      else await client.setLoggingLevel(wanted);
    },
    roundTrip: async () => {
      await (modern ? client.discover() : client.ping());
    },
    listen: async () => {
      if (!modern) return undefined;
      const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
      const subscription = await client.listen(all);
      return async () => await subscription.close();
    },
    close: async () => {
      if (transport instanceof HttpTransportV2) await transport.terminateSession();
      await client.close();
    },
  };
}

/** SDK v1 expects the browser's `WebSocket`, which Node 20 does not have. */
function provideWebSocket(): void {
  if (!('WebSocket' in globalThis)) Object.assign(globalThis, { WebSocket });
}

export interface ClientKind {
  readonly name: string;
  readonly connect: Connect;
  readonly era: ClientEra;
  /** `/mcp/s/<upstream>` speaks Streamable HTTP only (interface.md). */
  readonly singleUpstream: boolean;
}

export const CLIENTS: readonly ClientKind[] = [
  {
    name: 'SDK v1, Streamable HTTP',
    era: 'legacy',
    connect: async (base, route = '/mcp') => await openV1(new HttpTransportV1(new URL(`${base}${route}`))),
    singleUpstream: true,
  },
  {
    name: 'SDK v1, HTTP+SSE',
    era: 'legacy',
    connect: async (base) => await openV1(new SseTransportV1(new URL(`${base}/mcp/sse`))),
    singleUpstream: false,
  },
  {
    name: 'SDK v1, WebSocket',
    era: 'legacy',
    connect: async (base) => {
      provideWebSocket();
      return await openV1(new WebSocketClientTransport(new URL(`${base.replace(/^http/, 'ws')}/mcp/ws`)));
    },
    singleUpstream: false,
  },
  {
    name: 'SDK v2, Streamable HTTP',
    era: 'legacy',
    connect: async (base, route = '/mcp') => await openV2(new HttpTransportV2(new URL(`${base}${route}`)), 'legacy'),
    singleUpstream: true,
  },
  {
    name: 'SDK v2 that probes for the modern era, Streamable HTTP',
    era: 'modern',
    connect: async (base, route = '/mcp') => await openV2(new HttpTransportV2(new URL(`${base}${route}`)), 'auto'),
    singleUpstream: true,
  },
  {
    name: 'SDK v2, HTTP+SSE',
    era: 'legacy',
    connect: async (base) => await openV2(new SseTransportV2(new URL(`${base}/mcp/sse`)), 'legacy'),
    singleUpstream: false,
  },
];
