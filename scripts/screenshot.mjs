/**
 * `npm run docs:screenshot [-- PORT]`: draws the pictures of both dashboards in docs/images/ from a gateway with the built-in demo,
 * while official clients on all three transports call its tools. Takes about a minute, so that the charts are full; on
 * the way one upstream is killed, so that there is something to see of the supervisors. Apart from `npm run docs`, whose output
 * must be the same every time. Those of the browser need Chromium; where there is none they stay as they are.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import WebSocket from 'ws';
import { findBrowser, launchBrowser } from '../dist-test/test/support/browser.js';
import { takeScreenshot } from '../dist-test/test/support/screenshot.js';

globalThis.WebSocket ??= WebSocket;

const LOAD_MS = 42_000;
const AFTER_KILL_MS = 20_000;
const PAUSE_MS = 48;
const IMAGES = new URL('../docs/images/', import.meta.url);
const PICTURES = [
  { file: 'dashboard.svg', columns: 118, rows: 36, keys: '', expect: /Throughput[^]*╭─ Pools[^]*╭─ Log/ },
  { file: 'tree.svg', columns: 118, rows: 44, keys: '2', expect: 'RESTARTS' },
];
/** Pages without paths of this machine in them. */
const WEB_PICTURES = [{ file: 'web-overview.png', page: 'overview', colorScheme: 'light', height: 1_060 }];
const WEB_WIDTH = 1_280;
/** So that the charts that the page draws of what it has seen itself show something. */
const WEB_WATCHES_MS = 12_000;
const CLIENTS = [
  ['editor', (base) => new StreamableHTTPClientTransport(new URL(base))],
  ['desktop', (base) => new StreamableHTTPClientTransport(new URL(base))],
  ['agent', (base) => new StreamableHTTPClientTransport(new URL(base))],
  ['legacy', (base) => new SSEClientTransport(new URL(`${base}/sse`))],
  ['notebook', (base) => new WebSocketClientTransport(new URL(`${base.replace('http', 'ws')}/ws`))],
];
const CALLS = [
  { name: 'everything__echo', arguments: { message: 'hello' } },
  { name: 'everything__get-sum', arguments: { a: 19, b: 23 } },
  { name: 'memory__read_graph', arguments: {} },
  { name: 'filesystem__list_allowed_directories', arguments: {} },
];

const folder = await mkdtemp(path.join(tmpdir(), 'viable-screenshot-'));
const socket = path.join(folder, 'admin.sock');
const gateway = spawn(
  process.execPath,
  ['dist/main.js', '--no-dashboard', '--port', process.argv[2] ?? '0', '--admin-socket', socket],
  { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, XDG_DATA_HOME: folder } },
);
const exited = once(gateway, 'exit');
try {
  const url = await untilServing(gateway.stderr);
  const stop = new AbortController();
  const clients = await Promise.all(CLIENTS.map(([name, transport]) => connect(name, transport(url))));
  const load = clients.map((client, i) => callOnAndOn(client, i, stop.signal));
  await sleep(LOAD_MS);
  await once(spawn(process.execPath, ['dist/cli.js', '--socket', socket, 'kill', 'upstream:memory']), 'exit');
  await sleep(AFTER_KILL_MS);
  await mkdir(IMAGES, { recursive: true });
  for (const { file, ...picture } of PICTURES) {
    const { svg } = await takeScreenshot({ socket, ...picture });
    await writeFile(new URL(file, IMAGES), svg);
  }
  if (findBrowser() === undefined)
    process.stderr.write('No Chromium here: the pictures of the browser stay as they are.\n');
  else await photographPages(url);
  stop.abort();
  await Promise.all(load);
  await Promise.all(clients.map((client) => client.close()));
} finally {
  gateway.kill('SIGTERM');
  await exited;
  await rm(folder, { recursive: true, force: true });
}
process.exit(); // the HTTP pools of the clients stay open for a while

/** The gateway's URL, once all three servers of the demo are ready. */
async function untilServing(stderr) {
  let url;
  let ready = 0;
  for await (const line of createInterface({ input: stderr })) {
    const record = JSON.parse(line);
    if (record.event === 'ready') url = record.url;
    if (record.event === 'upstream_ready') ready += 1;
    if (url !== undefined && ready === 3) {
      stderr.resume();
      return url;
    }
  }
  throw new Error('the gateway ended before it was ready');
}

async function photographPages(base) {
  const browser = await launchBrowser();
  try {
    for (const { file, page: name, colorScheme, height } of WEB_PICTURES) {
      const page = await browser.newPage({ colorScheme, viewport: { width: WEB_WIDTH, height } });
      await page.goto(`${base}/dashboard#/${name}`);
      await page.waitForSelector('[data-link=live]');
      await sleep(WEB_WATCHES_MS);
      await page.screenshot({ path: fileURLToPath(new URL(file, IMAGES)) });
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

async function connect(name, transport) {
  const client = new Client({ name, version: '1.0.0' });
  await client.connect(transport);
  return client;
}

/** Calls in waves, so that the chart shows more than a line. Calls of the killed upstream may fail: that is shown, too. */
async function callOnAndOn(client, offset, signal) {
  for (let i = offset; !signal.aborted; i += 1) {
    await client.callTool(CALLS[i % CALLS.length]).catch(() => undefined);
    await sleep(PAUSE_MS * (1.2 + Math.sin(Date.now() / 4_000 + offset)));
  }
}
