/**
 * Web console: one browser that watches, over a WebSocket or, where there is none to be had, an event stream.
 *
 * Parent: web (dynamic). Restart: temporary: the page connects again by itself. It speaks the admin protocol of the admin
 * socket (`src/admin/protocol.ts`); what the console may not do never reaches the handler. It ends with the credential that
 * opened it, after a notice.
 */
import { type Duplex } from 'node:stream';
import { ADMIN_ACCESS, type Access } from '../admin/access.js';
import { ConsoleConnection } from '../admin/console-connection.js';
import { type AdminHandler, DEFAULT_ADMIN_LIMITS } from '../admin/handler.js';
import { type AdminRequest } from '../admin/protocol.js';
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL, type TimerWheel } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type EventStream } from '../transports/inbound/event-stream.js';
import { type CredentialDue, type CredentialNotice } from './client-message.js';
import { CredentialWatch } from './credential-watch.js';
import { type DataPlane } from './data-plane.js';

export type WebConsoleMessage = CredentialDue | { readonly type: 'web-console/closed' };

/** The page asks for figures, one list at a time, and follows the log: no more. */
const LIMITS = { ...DEFAULT_ADMIN_LIMITS, maxLineBytes: 65_536, maxInFlight: 16, maxBufferedBytes: 1_048_576 };

/** The handler for a console of this access. */
export function limited(handler: AdminHandler, access: Access): AdminHandler {
  return (request, context) => {
    if (access === 'act' || ADMIN_ACCESS[request.method] === 'look') return handler(request, context);
    const message = 'This console may only look; sign in with a token that may act.';
    return Promise.resolve({ ok: false, error: { code: 'read_only', message } });
  };
}

/** Whose console it is, and what tells that its credential ends. */
export interface ConsoleOwner {
  readonly principal: Principal;
  readonly plane: DataPlane;
  readonly wheel: TimerWheel;
}

interface SocketConsole extends ConsoleOwner {
  readonly handler: AdminHandler;
  readonly access: Access;
  readonly log: Logger;
}

/** What a console does besides: it is told of its credential, and ends with it. */
interface Outlet {
  notice(notice: CredentialNotice): void;
  /** After the last notice. The console's connection ends, and it is told so by `web-console/closed`. */
  end(notice: CredentialNotice): void;
  destroy(): void;
}

/** A browser on a WebSocket: each text frame is a line of the admin protocol. The first, with id 0, says what it may do. */
export function socketConsole({ handler, access, log, ...owner }: SocketConsole, stream: Duplex, close: Close) {
  return (context: ActorContext<WebConsoleMessage>): Behavior<WebConsoleMessage> => {
    const say = (event: object): void => void stream.write(`${JSON.stringify({ id: 0, event })}\n`);
    say({ access });
    const connection = new ConsoleConnection(stream, {
      handler: limited(handler, access),
      limits: LIMITS,
      onError: (error) => log.warn({ event: 'admin_error', error: error.message }, 'web console'),
      onDrop: () => undefined,
      onClosed: () => void context.self.answer({ type: 'web-console/closed' }),
    });
    return owned(context, owner, {
      notice: (credential) => say({ credential }),
      end: (credential) => {
        connection.dismiss({ credential });
        close(credential.state);
      },
      destroy: () => connection.destroy(),
    });
  };
}

/** Closes the WebSocket below a console. */
type Close = (why: string) => void;

/** A browser on an event stream: snapshots, and the log as it grows. What it asks comes by POST. */
export function streamConsole(owner: ConsoleOwner, stream: EventStream, handler: AdminHandler, intervalMs: number) {
  return (context: ActorContext<WebConsoleMessage>): Behavior<WebConsoleMessage> => {
    stream.onClose(() => void context.self.answer({ type: 'web-console/closed' }));
    const follow = (event: string, request: AdminRequest): void => {
      const send = (value: unknown): void => void stream.send({ event, data: JSON.stringify(value) });
      void handler(request, { signal: context.signal, emit: send }).then((reply) => {
        if (reply.ok) send(reply.result);
      });
    };
    follow('snapshot', { id: 1, method: 'watch', params: { intervalMs } });
    follow('log', { id: 2, method: 'logs', params: { follow: true, lines: 200 } });
    const notice = (credential: CredentialNotice): void =>
      void stream.send({ event: 'credential', data: JSON.stringify(credential) });
    const destroy = (): void => stream.end();
    const end = (credential: CredentialNotice): void => {
      notice(credential);
      destroy();
    };
    return owned(context, owner, { notice, end, destroy });
  };
}

/** Ends with the credential that opened it, by time or by revocation, and with its connection. */
function owned(
  context: ActorContext<WebConsoleMessage>,
  { principal, plane, wheel }: ConsoleOwner,
  outlet: Outlet,
): Behavior<WebConsoleMessage> {
  const credential = new CredentialWatch(context.self, wheel, plane.auth, principal);
  plane.consoles.add(context.self);
  const due = (): void => {
    const state = credential.look();
    if (state === undefined) return;
    const notice = { state, expires_at: credential.expiresAt };
    if (state === 'expiring') outlet.notice(notice);
    else outlet.end(notice);
  };
  return {
    handle: (message) => (message.type === 'client/credential-due' ? due() : context.exit(NORMAL)),
    terminate: () => {
      credential.stop();
      plane.consoles.delete(context.self);
      outlet.destroy();
    },
  };
}
