/**
 * Load over Streamable HTTP: one session on one keep-alive socket, requests written and responses read as plain bytes.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PROTOCOL_VERSION } from './echo-server.js';
import { header, messagesOf, ResponseReader, type WireResponse } from './http-wire.js';
import {
  answers,
  callText,
  INITIALIZE,
  INITIALIZED,
  problemOf,
  type CallDone,
  type LoadSession,
} from './load-session.js';

type OnResponse = (error: Error | undefined, response?: WireResponse) => void;

export class HttpLoadSession implements LoadSession {
  private socket: Socket | undefined;
  private waiting: OnResponse | undefined;
  private head: string;
  private session: string | undefined;
  private readonly origin: URL;

  constructor(
    url: string,
    private readonly tool: string,
    private readonly token?: string,
  ) {
    this.origin = new URL(url);
    this.head = this.headFor('POST');
  }

  async open(): Promise<void> {
    const opened = await this.ask(INITIALIZE);
    if (opened.status !== 200) throw new Error(`initialize answered ${opened.status}: ${opened.body.slice(0, 200)}`);
    this.session = header(opened.head, 'mcp-session-id');
    this.head = this.headFor('POST');
    const accepted = await this.ask(INITIALIZED);
    if (accepted.status >= 300) throw new Error(`initialized answered ${accepted.status}`);
  }

  call(id: number, nonce: string, done: CallDone): void {
    this.post(callText(id, this.tool, nonce), (error, response) => {
      if (response === undefined) done(error?.message ?? 'no response');
      else if (response.status !== 200) done(`status ${response.status}: ${response.body.slice(0, 200)}`);
      else done(this.check(response, id, nonce));
    });
  }

  async close(): Promise<void> {
    if (this.session !== undefined && this.socket?.writable === true) {
      await new Promise<void>((resolve) => {
        this.write(`${this.headFor('DELETE')}0\r\n\r\n`, () => resolve());
      });
    }
    this.socket?.destroy();
  }

  /** The session's id, once it is open and if the server gave one. */
  get id(): string | undefined {
    return this.session;
  }

  /** Drops the connection and leaves the session behind. */
  abandon(): void {
    this.socket?.destroy();
  }

  private check(response: WireResponse, id: number, nonce: string): string | undefined {
    try {
      const messages = messagesOf(response);
      const answer = messages.find((message) => answers(message, id)) ?? messages[0];
      return answer === undefined ? 'empty answer' : problemOf(answer, id, nonce);
    } catch (error) {
      return `unreadable answer: ${String(error)}`;
    }
  }

  /** Everything of a request up to the value of its content-length. */
  private headFor(method: string): string {
    const session = this.session === undefined ? '' : `mcp-session-id: ${this.session}\r\n`;
    const version = this.session === undefined ? '' : `mcp-protocol-version: ${PROTOCOL_VERSION}\r\n`;
    const login = this.token === undefined ? '' : `authorization: Bearer ${this.token}\r\n`;
    return (
      `${method} ${this.origin.pathname} HTTP/1.1\r\nhost: ${this.origin.host}\r\n${login}` +
      'content-type: application/json\r\naccept: application/json, text/event-stream\r\n' +
      `${version}${session}content-length: `
    );
  }

  private ask(body: string): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      const send = (): void => {
        this.post(body, (error, response) => {
          if (response === undefined) reject(error ?? new Error('no response'));
          else resolve(response);
        });
      };
      if (this.socket?.writable === true) send();
      else this.connect().then(send, reject);
    });
  }

  private async connect(): Promise<void> {
    const socket = connect({ host: this.origin.hostname, port: Number(this.origin.port), noDelay: true });
    const reader = new ResponseReader((response) => this.settle(undefined, response));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => this.settle(error));
    socket.on('close', () => this.settle(new Error('connection closed')));
    await once(socket, 'connect');
    this.socket = socket;
  }

  private settle(error: Error | undefined, response?: WireResponse): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(error, response);
  }

  /** The length is the body's in characters: the load speaks ASCII. */
  private post(body: string, onResponse: OnResponse): void {
    this.write(`${this.head}${body.length}\r\n\r\n${body}`, onResponse);
  }

  private write(text: string, onResponse: OnResponse): void {
    if (this.socket?.writable !== true) {
      // A server may close an idle connection; the next call opens another one.
      this.connect().then(
        () => this.write(text, onResponse),
        (error: unknown) => onResponse(error as Error),
      );
      return;
    }
    this.waiting = onResponse;
    this.socket.write(text, 'latin1');
  }
}
