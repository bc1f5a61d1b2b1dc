/** The official server-everything as a peer: started on a port, and one conversation that every adapter must manage. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { OutboundHandlers, OutboundTransport } from '#src/transports/outbound/transport.js';
import { notification, patient, Recorder, request } from './recorder.js';
import { unusedPort } from './unused-port.js';

const ENTRY = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');

export interface Everything {
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts it over HTTP; ready when it says on which port it listens. */
export async function startEverything(mode: 'streamableHttp' | 'sse'): Promise<Everything> {
  // It takes no port 0, so it gets one that was free just now.
  const port = await unusedPort();
  const child = spawn(process.execPath, [ENTRY, mode], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let heard = '';
    child.stderr.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.includes(String(port))) resolve();
    });
    void exited.then(() => reject(new Error(`server-everything ended: ${heard}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Initializes, lists, calls a tool and one with progress, and closes. Returns the child's process id, if there is one. */
export async function checkEverything(
  create: (handlers: OutboundHandlers) => OutboundTransport,
): Promise<number | undefined> {
  const recorder = new Recorder();
  const transport = recorder.watch(create(recorder));
  assert.equal(await transport.open(patient), undefined);
  const { pid } = transport;
  transport.send(
    request(0, 'initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'contract', version: '1' },
    }),
  );
  const { protocolVersion } = await recorder.result(0);
  assert.equal(protocolVersion, '2025-06-18');
  transport.setProtocolVersion('2025-06-18');
  transport.send(notification('notifications/initialized'));
  transport.listen();
  transport.send(request(1, 'tools/list'));
  const { tools } = (await recorder.result(1)) as { tools: { name: string }[] };
  assert.ok(tools.some(({ name }) => name === 'echo'));
  transport.send(request(2, 'tools/call', { name: 'echo', arguments: { message: 'grüß dich' } }));
  assert.match(JSON.stringify(await recorder.result(2)), /grüß dich/);
  const slow = tools.find(({ name }) => name.includes('long-running') || name === 'longRunningOperation');
  assert.ok(slow !== undefined);
  transport.send(
    request(3, 'tools/call', {
      name: slow.name,
      arguments: { duration: 0.2, steps: 2 },
      _meta: { progressToken: 'p' },
    }),
  );
  await recorder.result(3);
  const order = recorder.messages.map((message) => ('method' in message ? message.method : message.id));
  const progress = order.filter((entry) => entry === 'notifications/progress');
  assert.equal(progress.length, 2);
  await transport.close(2_000);
  assert.deepEqual(
    recorder.closings.map(({ kind }) => kind),
    ['closed'],
  );
  assert.deepEqual(recorder.failures, []);
  assert.deepEqual(recorder.violations, []);
  return pid;
}
