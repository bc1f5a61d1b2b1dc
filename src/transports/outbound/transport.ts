/**
 * The port to an upstream MCP server: bytes ↔ JSON-RPC messages, nothing else.
 *
 * Adapters: `stdio.ts`, `streamable-http.ts`, `http-sse.ts`, `websocket.ts`. All pass one contract suite
 * (`test/contract/outbound-transport.contract.ts`). An adapter owns sockets and processes; it owns no MCP state but
 * what its wire needs (session id, protocol version header). It never matches answers to requests: the upstream
 * session actor does.
 */
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/jsonrpc.js';

/** Why a transport could not do its work. Expected failures are values; nothing here throws. */
export interface TransportError {
  readonly kind:
    | 'spawn_failed' // the command is missing or not executable
    | 'connect_failed' // refused, reset, DNS, TLS
    | 'closed' // the peer ended the connection or process
    | 'http_status' // an HTTP status that is no answer; `status` is set
    | 'session_lost' // 404 on a request that carried our session id
    | 'unauthorized' // 401 or 403
    | 'protocol' // bytes that are no MCP
    | 'too_large' // a message past the size cap
    | 'timeout'; // open() or a write took too long
  /** One line for people: says what happened and, where it can, what to do. Free of secrets. */
  readonly message: string;
  readonly status?: number;
  /** True when the request is known not to have reached the peer, so that it may be sent again safely. */
  readonly unsent?: boolean;
}

/** What an adapter tells its owner. Called from I/O callbacks, never synchronously inside `open`, `send`, `close`. */
export interface OutboundHandlers {
  /** One valid JSON-RPC message, in wire order. `bytes` is its size on the wire. */
  onMessage(message: JsonRpcMessage, bytes: number): void;
  /** The request will get no answer: it could not be sent or its stream ended. At most once a request id. */
  onRequestFailed(id: JsonRpcId, error: TransportError): void;
  /** The transport is finished and cannot be used again. Exactly once after a successful `open`. */
  onClosed(error: TransportError): void;
  /** A line of the child's stderr, stripped of control characters and cut at 4,096 characters. stdio only. */
  onStderr(line: string): void;
  /** Bytes that are no JSON-RPC message, skipped. `sample` is at most 120 characters, stripped. */
  onJunk(sample: string, bytes: number): void;
  /** A message of the session was refused by an HTTP status for requests that make no sense: is it still this server? */
  onDoubt(): void;
}

/** W3C Trace Context and Baggage, as headers. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

export interface OutboundTransport {
  /** `pipe` for stdio, `tcp` otherwise (OpenTelemetry `network.transport`). */
  readonly network: 'pipe' | 'tcp';
  /** Child process id, once it runs. stdio only. */
  readonly pid?: number | undefined;
  /** Resolves with `undefined` when messages can be sent, or with the reason why not. Never rejects. Called once. */
  open(signal: AbortSignal): Promise<TransportError | undefined>;
  /**
   * Hands a message over for writing. Returns `false` when the peer's buffer is past its cap and the message was
   * refused (the caller answers "overloaded"); failures after `true` come through `onRequestFailed` or `onClosed`.
   *
   * `headers`, of a modern-era message alone: what its HTTP request must carry besides. Transports without headers
   * leave them out. `context`: trace context, beside what the message says of it, for transports with headers.
   */
  send(message: JsonRpcMessage, headers?: Readonly<Record<string, string>>, context?: TraceHeaders): boolean;
  /** The session's negotiated protocol version, for transports that repeat it on the wire (`MCP-Protocol-Version`). */
  setProtocolVersion(version: string): void;
  /** Begins the standalone server→client stream where the transport has one (GET on Streamable HTTP). */
  listen(): void;
  /** No answer is wanted for this request any more: frees what is held for it. Sends nothing. */
  abandon(id: JsonRpcId): void;
  /** Ends politely (DELETE of the session, SIGTERM then SIGKILL after `graceMs`), resolves when nothing is left. Idempotent. */
  close(graceMs: number): Promise<void>;
}
