/**
 * Web console: one browser that watches, over a WebSocket or, where there is none to be had, an event stream.
 *
 * Parent: web (dynamic). Restart: temporary: the page connects again by itself. It speaks the admin protocol of the admin
 * socket (`src/admin/protocol.ts`); what the console may not do never reaches the handler.
 */
import { type Duplex } from 'node:stream';
import { ADMIN_ACCESS, type Access } from '../admin/access.js';
import { ConsoleConnection } from '../admin/console-connection.js';
import { type AdminHandler, DEFAULT_ADMIN_LIMITS } from '../admin/handler.js';
import { type AdminRequest } from '../admin/protocol.js';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type EventStream } from '../transports/inbound/event-stream.js';

export type WebConsoleMessage = { readonly type: 'web-console/closed' };

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

/** A browser on a WebSocket: each text frame is a line of the admin protocol. The first, with id 0, says what it may do. */
export function socketConsole(stream: Duplex, handler: AdminHandler, access: Access, log: Logger) {
  return (context: ActorContext<WebConsoleMessage>): Behavior<WebConsoleMessage> => {
    stream.write(`${JSON.stringify({ id: 0, event: { access } })}\n`);
    const connection = new ConsoleConnection(stream, {
      handler: limited(handler, access),
      limits: LIMITS,
      onError: (error) => log.warn({ event: 'admin_error', error: error.message }, 'web console'),
      onDrop: () => undefined,
      onClosed: () => void context.self.answer({ type: 'web-console/closed' }),
    });
    return { handle: () => context.exit(NORMAL), terminate: () => connection.destroy() };
  };
}

/** A browser on an event stream: snapshots, and the log as it grows. What it asks comes by POST. */
export function streamConsole(stream: EventStream, handler: AdminHandler, intervalMs: number) {
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
    return { handle: () => context.exit(NORMAL), terminate: () => stream.end() };
  };
}
