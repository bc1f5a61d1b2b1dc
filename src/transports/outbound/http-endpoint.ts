/**
 * An upstream's HTTP origin: its connections, and the headers every request to it carries.
 *
 * Two undici pools: `requests` for what may take long, `control` for what must pass while all of those are busy
 * (notifications, answers to the server's own requests, the listening stream, DELETE); with one pool, tool calls that
 * wait for a sampling answer could use up every connection that the answer needs. Pipelining stays at 1, so a slow
 * answer holds up nobody. No timeouts here: requests have deadlines at their owner, sockets have TCP keep-alive.
 *
 * Invariant: after `destroy` no socket is left, connecting ones included.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { buildConnector, Pool } from 'undici';
import { closedByUs, connectFailed, openAborted, redactUrl } from './errors.js';
import type { Exchange } from './http-exchange.js';
import type { TransportError } from './transport.js';

/** Header names that belong to HTTP itself or to the transport; configured ones of these names are not sent. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'transfer-encoding',
  'upgrade',
]);

const NOWHERE = 'http://invalid.invalid';
const NO_URL: TransportError = { kind: 'connect_failed', message: 'the configured URL is not a valid absolute URL' };
const CONTROL_CONNECTIONS = 8;
const DEFAULT_CONNECTIONS = 256;
const CONNECT_TIMEOUT_MS = 10_000;

export interface EndpointOptions {
  /** `http:` or `https:`. User info becomes Basic credentials unless `headers` has an Authorization. */
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization` of the next request, where it changes over time; in place of one in `headers`. */
  readonly authorization?: (() => string | undefined) | undefined;
  /** Requests on their way at once; more wait in line. Default 256. */
  readonly connections?: number;
}

/** undici types its connector as returning nothing; it returns the socket that it has begun to connect. */
type Dial = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;

export class HttpEndpoint {
  readonly url: URL;
  /** Configured headers as a flat list of names and values. */
  readonly headers: readonly string[];
  readonly requests: Pool;
  readonly control: Pool;
  readonly #fault: TransportError | undefined;
  readonly #authorization: (() => string | undefined) | undefined;
  readonly #dial = buildConnector({ timeout: CONNECT_TIMEOUT_MS }) as unknown as Dial;
  readonly #dialing = new Set<Socket>();
  /** The connection that `open` made, until the first request takes it. */
  #spare: Socket | undefined;
  #destroyed: Promise<void> | undefined;

  /** Never throws: a wrong URL or header shows when `open` is called. */
  constructor(options: EndpointOptions) {
    const valid = URL.canParse(String(options.url));
    this.#authorization = options.authorization;
    this.url = new URL(valid ? options.url : NOWHERE);
    this.#fault = valid ? findFault(this.url, options.headers ?? {}) : NO_URL;
    const headers = this.#fault === undefined ? headerList(this.url, options.headers ?? {}) : [];
    this.headers = options.authorization ? withoutAuthorization(headers) : headers;
    this.url.username = '';
    this.url.password = '';
    this.url.hash = '';
    const origin = this.#fault === undefined ? this.url.origin : NOWHERE;
    const common = {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target: buildConnector.Options, callback: buildConnector.Callback) => this.#connect(target, callback),
    };
    this.requests = new Pool(origin, { ...common, connections: options.connections ?? DEFAULT_CONNECTIONS });
    this.control = new Pool(origin, { ...common, connections: CONTROL_CONNECTIONS });
  }

  get path(): string {
    return this.url.pathname + this.url.search;
  }

  /** Proves that the server can be reached, by the connection that the first request will use. */
  open(signal: AbortSignal): Promise<TransportError | undefined> {
    if (this.#fault !== undefined) return Promise.resolve(this.#fault);
    if (this.#destroyed !== undefined) return Promise.resolve(closedByUs());
    if (signal.aborted) return Promise.resolve(openAborted(redactUrl(this.url)));
    const { hostname, host, protocol, port } = this.url;
    const target = { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, protocol, port };
    return new Promise((resolve) => {
      const socket = this.#track(target, (error, connected) => {
        signal.removeEventListener('abort', onAbort);
        if (error !== null) resolve(connectFailed(this.url, error));
        else if (this.#destroyed !== undefined) resolve(closedByUs());
        else {
          this.#spare = connected;
          resolve(undefined);
        }
      });
      const onAbort = (): void => {
        socket.destroy();
        resolve(openAborted(redactUrl(this.url)));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('close', () => {
        signal.removeEventListener('abort', onAbort);
        resolve(closedByUs());
      });
    });
  }

  dispatch(
    pool: Pool,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    headers: string[],
    body: Buffer | null,
    exchange: Exchange,
  ): void {
    const authorization = this.#authorization?.();
    const all = authorization === undefined ? headers : [...headers, 'authorization', authorization];
    pool.dispatch({ path, method, headers: all, body }, exchange);
  }

  /** Closes every connection. Exchanges under way end with an error unless they were cancelled. Idempotent. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroyOnce();
    return this.#destroyed;
  }

  async #destroyOnce(): Promise<void> {
    this.#spare?.destroy();
    for (const socket of this.#dialing) socket.destroy();
    await Promise.all([this.requests.destroy(), this.control.destroy()]);
  }

  #connect(target: buildConnector.Options, callback: buildConnector.Callback): void {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && !spare.destroyed && spare.readable && spare.writable) {
      queueMicrotask(() => callback(null, spare));
    } else {
      this.#track(target, callback);
    }
  }

  #track(target: buildConnector.Options, callback: buildConnector.Callback): Socket {
    const socket = this.#dial(target, (...result) => {
      this.#dialing.delete(socket);
      callback(...result);
    });
    this.#dialing.add(socket);
    socket.once('close', () => this.#dialing.delete(socket));
    return socket;
  }
}

function findFault(url: URL, headers: Readonly<Record<string, string>>): TransportError | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { kind: 'connect_failed', message: `${redactUrl(url)}: the URL must begin with http:// or https://` };
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      const message = `the configured header ${JSON.stringify(name)} has characters that HTTP does not allow`;
      return { kind: 'connect_failed', message };
    }
  }
  return undefined;
}

function headerList(url: URL, headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  let authorized = false;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (RESERVED.has(lower)) continue;
    authorized ||= lower === 'authorization';
    list.push(lower, value);
  }
  if (!authorized && (url.username !== '' || url.password !== '')) {
    const credentials = `${decode(url.username)}:${decode(url.password)}`;
    list.push('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  }
  return list;
}

function withoutAuthorization(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] !== 'authorization') kept.push(headers[i] ?? '', headers[i + 1] ?? '');
  return kept;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
