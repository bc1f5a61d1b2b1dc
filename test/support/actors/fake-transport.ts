/** An upstream without wire: what is sent is kept, what it says is said by the test. */
import {
  isJsonObject,
  type JsonObject,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcRequest,
} from '#src/protocol/jsonrpc.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '#src/transports/outbound/transport.js';
import { deferred } from '../kernel.js';

export class FakeTransport implements OutboundTransport {
  readonly network = 'pipe';
  pid: number | undefined;
  readonly handlers: OutboundHandlers;
  readonly sent: JsonRpcMessage[] = [];
  readonly abandoned: JsonRpcId[] = [];
  readonly opening = deferred<TransportError | undefined>();
  /** Resolved by default; tests replace it for a close that takes its time. */
  closing: Promise<void> = Promise.resolve();
  signal: AbortSignal | null = null;
  version: string | null = null;
  listening = false;
  closedWith: number | null = null;
  /** False: its buffer is full. */
  takes = true;
  /** What it does with each message that is sent; runs in a turn of its own, as a peer would. */
  peer: ((message: JsonRpcMessage) => void) | null = null;

  constructor(handlers: OutboundHandlers) {
    this.handlers = handlers;
  }

  open(signal: AbortSignal): Promise<TransportError | undefined> {
    this.signal = signal;
    return this.opening.promise;
  }

  send(message: JsonRpcMessage): boolean {
    if (!this.takes) return false;
    this.sent.push(message);
    queueMicrotask(() => this.peer?.(message));
    return true;
  }

  setProtocolVersion(version: string): void {
    this.version = version;
  }

  listen(): void {
    this.listening = true;
  }

  abandon(id: JsonRpcId): void {
    this.abandoned.push(id);
  }

  close(graceMs: number): Promise<void> {
    this.closedWith = graceMs;
    return this.closing;
  }

  say(message: JsonRpcMessage): void {
    this.handlers.onMessage(message, JSON.stringify(message).length);
  }

  /** Refuses every call that it was sent, as a server does that does not know the session any more. */
  forget(): void {
    for (const { id } of this.requests('tools/call')) this.handlers.onRequestFailed(id, FORGOTTEN);
    this.handlers.onClosed(FORGOTTEN);
  }

  notify(method: string, params?: JsonObject): void {
    this.say({ jsonrpc: '2.0', method, ...(params && { params }) });
  }

  answer(id: JsonRpcId, result: JsonObject = {}): void {
    this.say({ jsonrpc: '2.0', id, result });
  }

  /** Requests that were sent, those of `method` only if it is given. */
  requests(method?: string): JsonRpcRequest[] {
    return this.sent.filter(
      (message): message is JsonRpcRequest =>
        'method' in message && 'id' in message && (method === undefined || message.method === method),
    );
  }

  notifications(method: string): JsonObject[] {
    return this.sent.flatMap((message) =>
      'method' in message && !('id' in message) && message.method === method ? [message.params ?? {}] : [],
    );
  }
}

export interface Server {
  protocolVersion: string;
  /** Its answer to the question for its era; a legacy server refuses it. */
  discover?: JsonObject;
  capabilities: JsonObject;
  /** List method → its items, in pages. */
  lists: Record<string, readonly (readonly JsonObject[])[]>;
}

export const LIST_MEMBER: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
};

export function server(tools: readonly string[] = ['t'], over: Partial<Server> = {}): Server {
  return {
    protocolVersion: '2025-11-25',
    capabilities: { tools: { listChanged: true } },
    lists: { 'tools/list': [tools.map((name) => ({ name }))] },
    ...over,
  };
}

/** Makes the transport answer handshake and lists as this server does. Other requests wait for the test. */
export function serve(transport: FakeTransport, is: Server): void {
  transport.peer = (message) => {
    if (!('method' in message) || !('id' in message)) return;
    const { id, method, params } = message;
    if (method === 'initialize') {
      const { protocolVersion, capabilities } = is;
      transport.answer(id, { protocolVersion, capabilities, serverInfo: { name: 'fake', version: '1' } });
      return;
    }
    if (method === 'server/discover') {
      if (is.discover) transport.answer(id, is.discover);
      else transport.say({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'no such method' } });
      return;
    }
    const member = LIST_MEMBER[method];
    if (member === undefined) return;
    const pages = is.lists[method] ?? [[]];
    const at = isJsonObject(params) ? Number(params['cursor'] ?? 0) : 0;
    transport.answer(id, { [member]: pages[at] ?? [], ...(at + 1 < pages.length && { nextCursor: String(at + 1) }) });
  };
}

export const CLOSED: TransportError = { kind: 'closed', message: 'it hung up' };
export const FORGOTTEN: TransportError = { kind: 'session_lost', status: 404, message: 'it forgot' };
