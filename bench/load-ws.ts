/** Load over a WebSocket: JSON-RPC text frames, subprotocol `mcp`, one socket a session. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  answers,
  callText,
  INITIALIZE,
  INITIALIZED,
  problemOf,
  type CallDone,
  type LoadSession,
} from './load-session.js';

interface Waiting {
  readonly id: number;
  readonly settle: (message: unknown, error?: Error) => void;
}

export class WsLoadSession implements LoadSession {
  private socket: WebSocket | undefined;
  private waiting: Waiting | undefined;

  constructor(
    private readonly url: string,
    private readonly tool: string,
  ) {}

  async open(): Promise<void> {
    const socket = new WebSocket(this.url, 'mcp', { perMessageDeflate: false });
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('close', (code) => this.settle(undefined, new Error(`socket closed with ${code}`)));
    socket.on('error', (error) => this.settle(undefined, error));
    await once(socket, 'open');
    await new Promise<void>((resolve, reject) => {
      this.waiting = { id: 0, settle: (_message, error) => (error === undefined ? resolve() : reject(error)) };
      socket.send(INITIALIZE);
    });
    socket.send(INITIALIZED);
  }

  call(id: number, nonce: string, done: CallDone): void {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      done('socket is closed');
      return;
    }
    this.waiting = {
      id,
      settle: (message, error) => done(error === undefined ? problemOf(message, id, nonce) : error.message),
    };
    this.socket.send(callText(id, this.tool, nonce));
  }

  async close(): Promise<void> {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.close(1000);
    await once(this.socket, 'close');
  }

  /** Notifications and server requests pass by; only the answer that is waited for counts. */
  private receive(data: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(data.toString('utf8'));
    } catch (error) {
      this.settle(undefined, error as Error);
      return;
    }
    if (this.waiting !== undefined && answers(message, this.waiting.id)) this.settle(message);
  }

  private settle(message: unknown, error?: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.settle(message, error);
  }
}
