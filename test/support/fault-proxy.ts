/**
 * A TCP proxy that breaks what passes: delay, slicing, a bandwidth, resets, half-closes. For tests of what a network does
 * to a connection, on any port of this machine.
 */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Weather {
  /** Each piece is held back so long, milliseconds. */
  readonly delay?: number;
  /** Bytes are passed on in pieces of at most this size, each in a write of its own. */
  readonly slice?: number;
  /** Bytes a second in each direction. */
  readonly bandwidth?: number;
}

export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #weather: Weather;
  #target: number;

  private constructor(server: Server, target: number, weather: Weather) {
    this.#server = server;
    this.#target = target;
    this.#weather = weather;
    server.on('connection', (client) => this.#pair(client));
  }

  /** Listens on a free port of 127.0.0.1 and passes on to `target` there. */
  static async start(target: number, weather: Weather = {}): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new FaultProxy(server, target, weather);
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that pass now. */
  get size(): number {
    return this.#pairs.size;
  }

  /** For pieces that come from now on. */
  set weather(weather: Weather) {
    this.#weather = weather;
  }

  /** For connections that come from now on. */
  set target(port: number) {
    this.#target = port;
  }

  /** RST on both sides of every connection. Returns how many there were. */
  resetAll(): number {
    const pairs = [...this.#pairs];
    for (const [client, server] of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return pairs.length;
  }

  /** FIN towards whoever connected; the other direction stays open. Returns how many there were. */
  halfCloseAll(): number {
    const pairs = [...this.#pairs];
    for (const [client] of pairs) client.end();
    return pairs.length;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const [client, server] of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #pair(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    this.#pass(client, server);
    this.#pass(server, client);
    for (const [socket, other] of [pair, [server, client] as const]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        // What the other one is still owed is on its way; its own end comes behind it.
        if (other.destroyed) this.#pairs.delete(pair);
      });
    }
  }

  /** One direction. Timers only say when the next piece goes: which one that is, is the queue's to say. */
  #pass(from: Socket, to: Socket): void {
    const queue: (Buffer | null)[] = [];
    let free = 0;
    const send = (): void => {
      const piece = queue.shift();
      if (piece === undefined || !to.writable) return;
      if (piece === null) {
        to.end();
      } else if (!to.write(piece)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (chunk: Buffer) => {
      const { slice = chunk.length, delay = 0, bandwidth = Infinity } = this.#weather;
      for (let start = 0; start < chunk.length; start += slice) {
        const piece = chunk.subarray(start, start + slice);
        free = Math.max(free, performance.now()) + (1_000 * piece.length) / bandwidth;
        queue.push(piece);
        this.#later(free - performance.now() + delay, send, queue.length === 1);
      }
    });
    from.on('end', () => {
      queue.push(null);
      this.#later(Math.max(0, free - performance.now()) + (this.#weather.delay ?? 0), send, queue.length === 1);
    });
  }

  /** Runs `task` after `ms`; at once only if nothing stands before it. */
  #later(ms: number, task: () => void, first: boolean): void {
    if (ms <= 0 && first) {
      task();
      return;
    }
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        task();
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
  }
}
