/** Where fuzzed messages go: each transport of clients, and a stdio server that writes them itself. */
import { once } from 'node:events';
import { Pool } from 'undici';
import { textOf } from '../support/fixture-names.js';
import { ModernPeer } from '../support/doors.js';
import { HttpSession, POST_HEADERS, type Wire } from '../support/raw-http.js';
import { PhoenixPeer } from '../support/phoenix-peer.js';
import { SsePeer, WebSocketPeer } from '../support/raw-peers.js';
import { type Dice, fuzzMessage, fuzzModern } from './messages.js';

export interface FuzzTarget {
  /** Sends so many messages and waits until the transport has taken them. */
  send(count: number, roll: Dice): Promise<void>;
  /** A call that must be answered; `number`, in digits, is to come back. */
  echo(number: string): Promise<string>;
  close(): Promise<void>;
}

export interface FuzzKind {
  readonly name: string;
  open(base: string): Promise<FuzzTarget>;
}

/** The highest id of a fuzzed answer. */
const HIGHEST_ANSWERED = 12;

/** On its way at once. */
const WINDOW = 64;

const echoed = (answer: Wire): string => {
  if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
  return textOf(answer.result);
};
/** Of a tool that no fuzzed message calls, so that it may have a time of its own to answer. */
const call = (number: string) => ({ name: 'good__add', arguments: { a: Number(number), b: 0 } });

/** Sends bodies by POST, some at once; a status is answer enough. */
async function posts(
  pool: Pool,
  path: string,
  headers: Record<string, string>,
  count: number,
  next: () => { readonly headers?: Readonly<Record<string, string>>; readonly text: string },
): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { headers: own, text } = next();
      const { body } = await pool.request({ method: 'POST', path, headers: { ...headers, ...own }, body: text });
      await body.dump();
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
}

/** Sends frames on a socket that may be closed on us: then another one is opened. */
async function frames<P extends WebSocketPeer | PhoenixPeer>(
  peer: P,
  open: () => Promise<P>,
  count: number,
  next: () => string,
): Promise<P> {
  let current = peer;
  for (let sent = 0; sent < count; sent += 1) {
    if (current.socket.readyState !== current.socket.OPEN) current = await open();
    current.socket.send(next());
    // Half-way answers are read before more is sent, as a client would.
    if (sent % WINDOW === WINDOW - 1) await pong(current);
  }
  await pong(current);
  return current.socket.readyState === current.socket.OPEN ? current : open();
}

/** Until the other side has read what was sent, or has gone. */
async function pong({ socket, closed }: WebSocketPeer | PhoenixPeer): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  const answered = once(socket, 'pong').catch(() => undefined);
  socket.ping();
  await Promise.race([answered, closed]);
}

export const FUZZ_KINDS: readonly FuzzKind[] = [
  {
    name: 'Streamable HTTP',
    open: async (base) => {
      const session = await HttpSession.open(base);
      const pool = new Pool(base, { connections: 16 });
      return {
        send: (count, roll) =>
          posts(pool, '/mcp', { ...POST_HEADERS, ...session.headers }, count, () => ({ text: fuzzMessage(roll) })),
        echo: async (text) => echoed(await session.request('tools/call', call(text), text)),
        close: async () => {
          await pool.destroy();
          await session.end();
        },
      };
    },
  },
  {
    name: 'Streamable HTTP of 2026-07-28',
    open: async (base) => {
      const peer = new ModernPeer(base);
      const pool = new Pool(base, { connections: 16 });
      return {
        send: (count, roll) => posts(pool, '/mcp', { ...POST_HEADERS }, count, () => fuzzModern(roll)),
        echo: async (text) => echoed(await peer.request('tools/call', call(text), text)),
        close: () => pool.destroy(),
      };
    },
  },
  {
    name: 'HTTP+SSE',
    open: async (base) => {
      const peer = await SsePeer.open(base);
      const pool = new Pool(base, { connections: 16 });
      const { pathname, search } = new URL(peer.endpoint);
      const headers = { 'content-type': 'application/json' };
      return {
        send: (count, roll) => posts(pool, pathname + search, headers, count, () => ({ text: fuzzMessage(roll) })),
        echo: async (text) => echoed(await peer.request('tools/call', call(text), text)),
        close: async () => {
          await pool.destroy();
          await peer.close();
        },
      };
    },
  },
  {
    name: 'WebSocket',
    open: async (base) => {
      let peer = await WebSocketPeer.open(base);
      return {
        send: async (count, roll) => {
          peer = await frames(
            peer,
            () => WebSocketPeer.open(base),
            count,
            () => fuzzMessage(roll),
          );
        },
        echo: async (text) => {
          const ask = async (): Promise<string> => echoed(await peer.request('tools/call', call(text), text));
          return ask().catch(async (error: unknown) => {
            // The answer to a frame before this one may have been the end of the connection.
            if (peer.socket.readyState === peer.socket.OPEN) throw error;
            peer = await WebSocketPeer.open(base);
            return ask();
          });
        },
        close: () => peer.close(),
      };
    },
  },
  {
    name: 'Phoenix Channels',
    open: async (base) => {
      let peer = await PhoenixPeer.open(base);
      const frame = (roll: Dice): string => {
        const message = fuzzMessage(roll);
        const topic = roll(20) === 0 ? 'other' : 'mcp:gateway';
        return roll(20) === 0 ? message : `["1","${roll(1_000)}","${topic}","mcp",${message}]`;
      };
      return {
        send: async (count, roll) => {
          peer = await frames(
            peer,
            () => PhoenixPeer.open(base),
            count,
            () => frame(roll),
          );
        },
        echo: async (text) => {
          const ask = async (): Promise<string> => echoed(await peer.request('tools/call', call(text), text));
          return ask().catch(async (error: unknown) => {
            // The answer to a frame before this one may have been the end of the connection.
            if (peer.socket.readyState === peer.socket.OPEN) throw error;
            peer = await PhoenixPeer.open(base);
            return ask();
          });
        },
        close: () => peer.close(),
      };
    },
  },
  {
    name: 'a stdio server',
    open: async (base) => {
      const session = await HttpSession.open(base);
      const ask = async (text: string): Promise<string> =>
        echoed(await session.request('tools/call', { name: 'mad__echo', arguments: { text } }, text));
      // Past the ids of fuzzed answers: those would be good answers to what is asked.
      for (let id = 0; id <= HIGHEST_ANSWERED; id += 1) await ask(`early ${id}`);
      return {
        send: async (count, roll) => {
          const args = { seed: roll(2 ** 31), count };
          await session.request('tools/call', { name: 'mad__fuzz', arguments: args }, `fuzz ${args.seed}`);
        },
        echo: ask,
        close: async () => {
          await session.end();
        },
      };
    },
  },
];
