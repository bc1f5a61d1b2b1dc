/** A console's end of the admin socket: one JSON object a line (`src/admin/protocol.ts`). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type AdminError,
  type AdminEvent,
  type AdminMethod,
  type AdminRequest,
  type AdminResponse,
} from '#src/admin/protocol.js';
import { EventLog } from './event-log.js';
import { within } from './eventually.js';
import { onLines } from './lines.js';

/** The gateway refused an admin request. */
export class AdminRequestError extends Error {
  readonly code: string;
  readonly suggestions: readonly string[];

  constructor(error: AdminError) {
    super(`${error.code}: ${error.message}`);
    this.code = error.code;
    this.suggestions = error.suggestions ?? [];
  }
}

export class AdminConnection {
  /** Everything that came after the answers of `watch` and `logs`. */
  readonly events = new EventLog<AdminEvent>();
  readonly #socket: Socket;
  readonly #over: Promise<never>;
  #closed: () => void = () => undefined;
  readonly #pending = new Map<number, (response: AdminResponse) => void>();
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#over = new Promise((_resolve, reject) => {
      this.#closed = () => reject(new Error('the admin connection closed'));
    });
    this.#over.catch(() => undefined);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.events.end(new Error('the admin connection closed'));
      this.#closed();
    });
    onLines(socket, (line) => {
      const message = JSON.parse(line) as AdminResponse | AdminEvent;
      if ('event' in message) {
        this.events.push(message);
        return;
      }
      this.#pending.get(message.id)?.(message);
      this.#pending.delete(message.id);
    });
  }

  static async open(path: string): Promise<AdminConnection> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new AdminConnection(socket);
  }

  async request(method: AdminMethod, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#lastId += 1;
    const request: AdminRequest = { id: this.#lastId, method, params };
    const answer = new Promise<AdminResponse>((resolve) => this.#pending.set(request.id, resolve));
    this.#socket.write(`${JSON.stringify(request)}\n`);
    const response = await within(Promise.race([answer, this.#over]), `admin ${method}`);
    if (!response.ok) throw new AdminRequestError(response.error);
    return response.result;
  }

  close(): void {
    this.#socket.destroy();
  }
}
