/**
 * Holds idle MCP connections, a process of its own: told `{hold: N}` it brings their number up to N and says so; it
 * lets go of all of them by exiting. What the server sends meanwhile is read and forgotten.
 *
 *   ws       a WebSocket after `initialize`
 *   stream   a Streamable HTTP session with its GET stream open
 *   sse      an HTTP+SSE connection (2024-11-05) after `initialize`
 *   session  a Streamable HTTP session without any connection
 *   mixed    ws, stream and sse in turn
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { PROTOCOL_VERSION } from './echo-server.js';
import { announce, exitWithParent } from './lifeline.js';
import { HttpLoadSession } from './load-http.js';
import { INITIALIZE, INITIALIZED } from './load-session.js';
import { WsLoadSession } from './load-ws.js';

type Kind = 'ws' | 'stream' | 'sse' | 'session';

/** Connections being opened at one time; a listen backlog is finite. */
const PARALLEL = 32;
const ANSWER_MS = 10_000;

const { values } = parseArgs({
  options: {
    kind: { type: 'string' },
    url: { type: 'string', default: '' },
    'ws-url': { type: 'string', default: '' },
    'sse-url': { type: 'string', default: '' },
  },
});

/** What must not be collected while it is held. */
const held: unknown[] = [];

/** Opens a stream that never ends and resolves with what came, once `enough` likes it. */
async function openStream(url: URL, headers: string, enough: (text: string) => boolean): Promise<[Socket, string]> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  socket.on('error', (error) => announce({ event: 'lost', why: error.message }));
  await once(socket, 'connect');
  const path = `${url.pathname}${url.search}`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${url.host}\r\naccept: text/event-stream\r\n${headers}\r\n`);
  const text = await new Promise<string>((resolve, reject) => {
    let seen = '';
    const timer = setTimeout(() => reject(new Error(`stream answered: ${seen.slice(0, 200)}`)), ANSWER_MS);
    socket.on('data', function read(chunk: Buffer) {
      seen += chunk.toString('latin1');
      if (!enough(seen)) return;
      clearTimeout(timer);
      socket.off('data', read);
      socket.resume();
      resolve(seen);
    });
  });
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`stream answered: ${text.slice(0, 200)}`);
  return [socket, text];
}

async function openSession(): Promise<string> {
  const session = new HttpLoadSession(values.url, 'echo');
  await session.open();
  const id = session.id ?? '';
  session.abandon();
  return id;
}

async function openSse(): Promise<void> {
  const url = new URL(values['sse-url']);
  const found = /event: ?endpoint\r?\ndata: ?([^\r\n]+)/;
  const [socket, text] = await openStream(url, '', (seen) => found.test(seen) || /^HTTP\/1.1 [345]/.test(seen));
  held.push(socket);
  const endpoint = new URL(found.exec(text)?.[1] ?? '', url);
  for (const body of [INITIALIZE, INITIALIZED]) {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body,
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${endpoint.pathname} answered ${response.status}`);
  }
}

async function open(kind: Kind): Promise<void> {
  switch (kind) {
    case 'ws': {
      const session = new WsLoadSession(values['ws-url'], 'echo');
      await session.open();
      held.push(session);
      return;
    }
    case 'stream': {
      const headers = `mcp-protocol-version: ${PROTOCOL_VERSION}\r\nmcp-session-id: ${await openSession()}\r\n`;
      const [socket] = await openStream(new URL(values.url), headers, (seen) => seen.includes('\r\n\r\n'));
      held.push(socket);
      return;
    }
    case 'sse':
      return openSse();
    case 'session':
      await openSession();
      return;
  }
}

const MIX: readonly Kind[] = ['ws', 'stream', 'sse'];

function kindOf(index: number): Kind {
  return values.kind === 'mixed' ? (MIX[index % MIX.length] ?? 'ws') : (values.kind as Kind);
}

let opened = 0;

async function hold(count: number): Promise<void> {
  const worker = async (): Promise<void> => {
    while (opened < count) await open(kindOf(opened++));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

exitWithParent();
process.on('message', (message: { readonly hold: number }) => {
  hold(message.hold).then(
    () => announce({ event: `held-${message.hold}` }),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
announce({ event: 'ready' });
