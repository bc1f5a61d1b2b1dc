/**
 * The HTTP face of the browser dashboard: its page and files, and three ways to the figures behind it.
 *
 * | path below `/mcp/dashboard` | |
 * |---|---|
 * | `/` | the page |
 * | `/assets/…` | its scripts and styles |
 * | `/feed` | WebSocket: the admin protocol, one message a frame |
 * | `/events?interval=ms` | event stream of snapshots and log lines, where WebSockets do not pass |
 * | `/admin` | POST of one admin request, its answer in return |
 *
 * Plain functions in I/O callbacks; what lives longer is a web console actor. Host and origin were checked before.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createWebSocketStream, type WebSocket } from 'ws';
import { type Access } from '../admin/access.js';
import { type AdminHandler } from '../admin/handler.js';
import { type Principal } from '../auth/principal.js';
import { parseAdminRequest, WATCH_INTERVAL_MS } from '../admin/requests.js';
import { type ActorSystem, actor } from '../kernel/index.js';
import { type ErrorName } from '../protocol/errors.js';
import { type Logger } from '../telemetry/logger.js';
import { EventStream } from '../transports/inbound/event-stream.js';
import { isJsonContentType } from '../protocol/http-rules.js';
import { type ErrorReply, sendError, sendJson } from '../transports/inbound/http-reply.js';
import { Intake } from '../transports/inbound/intake.js';
import { readBody } from '../transports/inbound/read-body.js';
import { loadWebAssets, type WebAsset, type WebAssets } from '../transports/inbound/web-assets.js';
import { type DataPlane } from './data-plane.js';
import { WEB_CONSOLES } from './names.js';
import {
  type ConsoleOwner,
  limited,
  socketConsole,
  streamConsole,
  type WebConsoleMessage,
} from './admin-web-console.js';

/** What a console may do, or why it may not even look. */
export type ConsoleRight =
  | { readonly ok: true; readonly access: Access; readonly principal: Principal }
  | { readonly ok: false; readonly name: ErrorName; readonly reply: ErrorReply };

type Granted = ConsoleRight & { readonly ok: true };

export interface WebFrontDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly handler: AdminHandler;
  readonly log: Logger;
  readonly rightOf: (req: IncomingMessage) => ConsoleRight;
}

/** Browsers that watch at a time; each is sent a snapshot a second. */
const MAX_CONSOLES = 32;
const MAX_REQUEST_BYTES = 65_536;
/** Close codes of RFC 6455 and its registry. */
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;
/** Beside the policy of the page. */
const SECURITY = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export class WebFront {
  readonly #deps: WebFrontDeps;
  readonly #intake = new Intake(() => MAX_REQUEST_BYTES);
  #assets: Promise<WebAssets> | null = null;
  #made = 0;

  constructor(deps: WebFrontDeps) {
    this.#deps = deps;
  }

  /** @param path what stands behind `/mcp/dashboard` */
  handle(req: IncomingMessage, res: ServerResponse, path: string): void {
    if (!this.#deps.plane.options.dashboard.web)
      return sendError(res, 'unknown_route', { detail: 'the browser dashboard is off' });
    if (!this.#deps.plane.dashboards) {
      req.resume();
      return refuse(res, SWITCHED_OFF);
    }
    if (path === '/admin') return this.#ask(req, res);
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      req.resume();
      return sendError(res, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });
    }
    if (path === '') return this.#serve(req, res, null);
    if (path.startsWith('/assets/')) return this.#serve(req, res, path.slice('/assets/'.length));
    if (path === '/events') return this.#events(req, res);
    const detail = path === '/feed' ? 'this path takes WebSocket connections' : 'the dashboard is at /mcp/dashboard';
    sendError(res, 'unknown_route', { detail });
  }

  /** Whether a WebSocket may be opened for this console, and with which rights. */
  admitSocket(req: IncomingMessage): ConsoleRight {
    if (!this.#deps.plane.options.dashboard.web) return { ok: false, name: 'unknown_route', reply: {} };
    if (!this.#deps.plane.dashboards) return SWITCHED_OFF;
    if (this.#consoles >= MAX_CONSOLES) return full();
    return this.#deps.rightOf(req);
  }

  openSocket(socket: WebSocket, { access, principal }: Granted): void {
    const stream = createWebSocketStream(socket, { decodeStrings: false });
    const { handler, log } = this.#deps;
    const close = (why: string): void => socket.close(POLICY_VIOLATION, why);
    const init = socketConsole({ ...this.#owner(principal), handler, access, log }, stream, close);
    if (!this.#start('socket', init)) socket.close(TRY_AGAIN_LATER, 'try again later');
  }

  #owner(principal: Principal): ConsoleOwner {
    const { system, plane } = this.#deps;
    return { principal, plane, wheel: system.wheel };
  }

  get #consoles(): number {
    return this.#deps.system.childrenOf(WEB_CONSOLES).length;
  }

  #start(kind: string, init: ReturnType<typeof socketConsole>): boolean {
    const id = `console-${(this.#made += 1)}-${kind}`;
    return this.#deps.system.startChild<WebConsoleMessage>(
      WEB_CONSOLES,
      actor<WebConsoleMessage>({ id, restart: 'temporary', init }),
    ).ok;
  }

  #serve(req: IncomingMessage, res: ServerResponse, name: string | null): void {
    // Read when somebody first looks: a gateway that nobody looks at keeps none of it.
    this.#assets ??= loadWebAssets();
    this.#assets.then(
      (assets) => {
        const found = name === null ? assets.page : assets.get(name);
        if (found === undefined) return sendError(res, 'unknown_route', { detail: 'the dashboard has no such file' });
        send(req, res, found, assets.policy);
      },
      (cause: unknown) => {
        this.#assets = null;
        this.#deps.log.error({ event: 'web_assets', error: String(cause) }, 'the browser dashboard is not built');
        sendError(res, 'internal_error', { detail: 'the browser dashboard is not built: npm run build' });
      },
    );
  }

  #events(req: IncomingMessage, res: ServerResponse): void {
    if (this.#consoles >= MAX_CONSOLES) return refuse(res, full());
    const right = this.#deps.rightOf(req);
    if (!right.ok) return refuse(res, right);
    const asked = Number(
      new URLSearchParams((req.url ?? '').split('?')[1]).get('interval') ?? WATCH_INTERVAL_MS.default,
    );
    const { min, max } = WATCH_INTERVAL_MS;
    const interval = Number.isFinite(asked)
      ? Math.min(max, Math.max(min, Math.round(asked)))
      : WATCH_INTERVAL_MS.default;
    const stream = new EventStream(res, this.#deps.plane.outflow);
    stream.send({ event: 'access', data: JSON.stringify(right.access) });
    const handler = limited(this.#deps.handler, right.access);
    if (!this.#start('stream', streamConsole(this.#owner(right.principal), stream, handler, interval))) stream.end();
  }

  #ask(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== 'POST') return sendError(res, 'method_not_allowed', { headers: { allow: 'POST' } });
    // JSON needs a preflight from another origin: no page elsewhere can send it with what a form may send.
    if (!isJsonContentType(req.headers['content-type'])) {
      req.resume();
      return sendError(res, 'unsupported_media_type');
    }
    const right = this.#deps.rightOf(req);
    if (!right.ok) {
      req.resume();
      return refuse(res, right);
    }
    readBody(req, this.#intake, (body) => {
      if (!body.ok) return sendError(res, body.why);
      const parsed = parseAdminRequest(body.text);
      if (!parsed.ok) return sendJson(res, 400, { id: parsed.id, ok: false, error: parsed.error }, SECURITY);
      const { request } = parsed;
      const gone = new AbortController();
      const handler = limited(this.#deps.handler, right.access);
      handler(request, { signal: gone.signal, emit: () => undefined }).then(
        (reply) => {
          gone.abort(); // nothing is followed here
          sendJson(res, 200, { id: request.id, ...reply }, SECURITY);
        },
        () => sendError(res, 'internal_error'),
      );
    });
  }
}

const SWITCHED_OFF = {
  ok: false,
  name: 'feature_disabled',
  reply: { detail: 'dashboards are switched off', data: { feature: 'dashboard' } },
} as const satisfies ConsoleRight;

function full(): ConsoleRight & { readonly ok: false } {
  return { ok: false, name: 'overloaded', reply: { detail: `${MAX_CONSOLES} browsers watch already` } };
}

function refuse(res: ServerResponse, { name, reply }: ConsoleRight & { readonly ok: false }): void {
  sendError(res, name, reply);
}

function send(req: IncomingMessage, res: ServerResponse, { type, body, etag }: WebAsset, policy: string): void {
  // Asked for anew each time and answered by 304: a page of one version never runs scripts of another.
  const headers = { ...SECURITY, 'content-security-policy': policy, 'cache-control': 'no-cache', etag };
  if (req.headers['if-none-match'] === etag) {
    res.writeHead(304, headers).end();
    return;
  }
  res.writeHead(200, { ...headers, 'content-type': type, 'content-length': body.length });
  res.end(req.method === 'HEAD' ? undefined : body);
}
