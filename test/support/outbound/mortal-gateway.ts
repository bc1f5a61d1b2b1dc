/**
 * A gateway-like process that owns stdio servers with children of their own, made to be killed. Its second argument
 * marks every process it starts. With `hold` it starts three, says so and waits; with `churn` it opens and closes
 * servers for ever and prints a line at every step.
 */
import { fileURLToPath } from 'node:url';
import { createReaper } from '#src/transports/outbound/reaper.js';
import { createStdioTransport } from '#src/transports/outbound/stdio.js';
import { patient, Recorder, request } from './recorder.js';

const [, , mode = 'hold', marker = 'unmarked'] = process.argv;
const FIXTURE = fileURLToPath(new URL('./stdio-fixture.js', import.meta.url));
const reaper = createReaper();

async function start(): Promise<{ pid: number | undefined; grandchild: string; close: () => Promise<void> }> {
  const recorder = new Recorder();
  const args = [FIXTURE, 'grandchild', 'stubborn', marker];
  const transport = createStdioTransport({ command: process.execPath, args, reaper }, recorder);
  const error = await transport.open(patient);
  if (error !== undefined) throw new Error(error.message);
  process.stdout.write('opened\n');
  transport.send(request(1, 'echo'));
  await recorder.result(1);
  const grandchild = await recorder.until(() => recorder.stderr.find((line) => line.startsWith('grandchild ')));
  return { pid: transport.pid, grandchild, close: () => transport.close(100) };
}

if (mode === 'hold') {
  const servers = await Promise.all([start(), start(), start()]);
  const pids = servers.flatMap(({ pid, grandchild }) => [pid, Number(grandchild.split(' ')[1])]);
  process.stdout.write(`${JSON.stringify({ pids, reaper: reaper.pid })}\n`);
  setInterval(() => undefined, 1_000_000);
} else {
  for (;;) {
    process.stdout.write('opening\n');
    const pair = await Promise.all([start(), start()]);
    process.stdout.write('closing\n');
    await Promise.all(pair.map(({ close }) => close()));
  }
}
