/**
 * Clients that ask for a lot and read nothing of it, a process of its own: on each transport sessions with one call, during
 * which the upstream sends progress, line upon line. Each has stopped reading before it asks.
 *
 *   node dist-test/chaos/sleepers.js --url http://127.0.0.1:4000 --tool flood__echo [--each 20] [--notices 96] [--pad 65536]
 *
 * Says `asleep` when all have asked. They stay until the process is told to leave.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';
import { createParser } from 'eventsource-parser';
import { WebSocket } from 'ws';
import { announce, exitWithParent } from '../bench/lifeline.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    tool: { type: 'string', default: '' },
    each: { type: 'string', default: '20' },
    notices: { type: 'string', default: '96' },
    pad: { type: 'string', default: '65536' },
  },
});

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'sleeper', version: '1.0.0' } },
});
const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: values.tool,
    arguments: { message: '', notices: Number(values.notices), pad: Number(values.pad) },
    _meta: { progressToken: 1 },
  },
});
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const agent = new Agent({ keepAlive: false, maxSockets: Infinity });

/** Resolves with the response as soon as its head is there; nothing of its body has been read. */
function send(path: string, method: 'GET' | 'POST', body?: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, values.url), { method, agent, headers: { ...JSON_HEADERS, ...headers } });
    asked.on('response', resolve);
    asked.on('error', reject);
    asked.end(body);
  });
}

async function overHttp(): Promise<void> {
  const greeted = await send('/mcp', 'POST', INITIALIZE);
  greeted.resume();
  const headers = { 'mcp-session-id': String(greeted.headers['mcp-session-id']) };
  (await send('/mcp', 'POST', INITIALIZED, headers)).resume();
  // Its head comes with the first progress; whoever gets no head at all has lost the connection.
  const stream = await send('/mcp', 'POST', CALL, headers);
  stream.on('error', () => undefined);
}

async function overSse(): Promise<void> {
  const stream = await send('/mcp/sse', 'GET', undefined, { accept: 'text/event-stream' });
  stream.on('error', () => undefined);
  let heard: (data: string) => void = () => undefined;
  const parser = createParser({ onEvent: ({ data }) => heard(data) });
  const next = (): Promise<string> => new Promise((resolve) => (heard = resolve));
  const endpoint = next();
  stream.on('data', (chunk: Buffer) => parser.feed(chunk.toString('utf8')));
  const path = await endpoint;
  const greeted = next();
  (await send(path, 'POST', INITIALIZE)).resume();
  await greeted;
  (await send(path, 'POST', INITIALIZED)).resume();
  stream.pause();
  (await send(path, 'POST', CALL)).resume();
}

async function overWebSocket(): Promise<void> {
  const socket = new WebSocket(`${values.url.replace('http', 'ws')}/mcp/ws`, 'mcp', { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', () => resolve());
    socket.on('open', () => socket.send(INITIALIZE));
  });
  socket.send(INITIALIZED);
  socket.pause();
  socket.send(CALL);
}

exitWithParent();
const each = Array.from({ length: Number(values.each) });
for (const open of [overHttp, overSse, overWebSocket]) await Promise.all(each.map(() => open()));
announce({ event: 'asleep', sleepers: 3 * each.length });
// Sockets that nobody reads from do not keep a process.
setInterval(() => undefined, 60_000);
