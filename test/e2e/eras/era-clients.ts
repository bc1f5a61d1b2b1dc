/**
 * Official clients that can be asked (sampling, elicitation, roots), of both SDKs and both eras, behind one face.
 *
 * `wire` has every message in the order in which the transport delivered it.
 */
import {
  Client as ClientV2,
  LOG_LEVEL_META_KEY,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  type ElicitResult,
  type LoggingLevel,
} from '@modelcontextprotocol/sdk/types.js';
import { type ClientEra, type CompletionReference } from '../../support/clients.js';
import { EventLog } from '../../support/event-log.js';
import { type Json, type Wire } from '../../support/raw-http.js';
import { ASKABLE, MODERN } from './modern-http.js';

/** What the user and the model in front of a client do. */
export interface Person {
  readonly sample: (prompt: string) => string;
  readonly elicit: (params: Json) => ElicitResult;
  readonly root: string;
}

export interface EraClient {
  readonly era: ClientEra;
  readonly wire: EventLog<Wire>;
  listTools(): Promise<readonly Json[]>;
  /** `level`: from which on log messages are wanted; the modern era says it with each call. */
  callTool(
    name: string,
    args?: Json,
    options?: { readonly level?: LoggingLevel; readonly onprogress?: () => void },
  ): Promise<Json>;
  getPrompt(name: string, args?: Readonly<Record<string, string>>): Promise<Json>;
  readResource(uri: string): Promise<Json>;
  complete(ref: CompletionReference, argument: { name: string; value: string }): Promise<Json>;
  close(): Promise<void>;
}

export interface EraClientKind {
  readonly name: string;
  readonly era: ClientEra;
  readonly connect: (url: string, person: Person) => Promise<EraClient>;
}

const IDENTITY = { name: 'era-client', version: '1.0.0' };

interface SampleParams {
  readonly messages: readonly { readonly content: unknown }[];
}

function sampled(person: Person, { messages }: SampleParams) {
  const { text } = messages[0]?.content as { text: string };
  return {
    role: 'assistant' as const,
    model: 'a-model',
    content: { type: 'text' as const, text: person.sample(text) },
  };
}

const rootsOf = (person: Person): { roots: { uri: string; name: string }[] } => ({
  roots: [{ uri: person.root, name: 'root' }],
});

async function openV1(url: string, person: Person): Promise<EraClient> {
  const wire = new EventLog<Wire>();
  const client = new ClientV1(IDENTITY, { capabilities: ASKABLE });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => sampled(person, params as SampleParams));
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.elicit(params as Json));
  client.setRequestHandler(ListRootsRequestSchema, () => rootsOf(person));
  const transport = new HttpV1(new URL(url));
  transport.onmessage = (message) => wire.push(message as Wire);
  await client.connect(transport);
  return {
    era: 'legacy',
    wire,
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, args = {}, { level, ...options } = {}) => {
      if (level !== undefined) await client.setLoggingLevel(level);
      return await client.callTool({ name, arguments: args }, undefined, options);
    },
    getPrompt: async (name, args = {}) => await client.getPrompt({ name, arguments: args }),
    readResource: async (uri) => await client.readResource({ uri }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

type Mode = 'auto' | 'legacy' | { readonly pin: string };

async function openV2(url: string, person: Person, mode: Mode): Promise<EraClient> {
  const wire = new EventLog<Wire>();
  const negotiation = mode === 'legacy' ? {} : { versionNegotiation: { mode } };
  const client = new ClientV2(IDENTITY, { capabilities: ASKABLE, ...negotiation });
  client.setRequestHandler('sampling/createMessage', ({ params }) => sampled(person, params as SampleParams));
  client.setRequestHandler('elicitation/create', ({ params }) => person.elicit(params as Json));
  client.setRequestHandler('roots/list', () => rootsOf(person));
  const transport = new HttpV2(new URL(url));
  transport.onmessage = (message) => wire.push(message as Wire);
  await client.connect(transport);
  const era = client.getProtocolEra() === 'modern' ? 'modern' : 'legacy';
  return {
    era,
    wire,
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, args = {}, { level, ...options } = {}) => {
      if (level !== undefined && era === 'legacy') await client.setLoggingLevel(level);
      const meta = level !== undefined && era === 'modern' ? { _meta: { [LOG_LEVEL_META_KEY]: level } } : {};
      return await client.callTool({ name, arguments: args, ...meta }, options);
    },
    getPrompt: async (name, args = {}) => await client.getPrompt({ name, arguments: args }),
    readResource: async (uri) => await client.readResource({ uri }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

export const ERA_CLIENTS: readonly EraClientKind[] = [
  { name: 'SDK v1', era: 'legacy', connect: openV1 },
  { name: 'SDK v2, legacy', era: 'legacy', connect: async (url, person) => await openV2(url, person, 'legacy') },
  { name: 'SDK v2, auto', era: 'modern', connect: async (url, person) => await openV2(url, person, 'auto') },
  {
    name: 'SDK v2, pinned',
    era: 'modern',
    connect: async (url, person) => await openV2(url, person, { pin: MODERN }),
  },
];
