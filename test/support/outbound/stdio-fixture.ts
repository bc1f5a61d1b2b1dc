/** A raw stdio server. Arguments switch on what it does besides answering. */
import { spawn } from 'node:child_process';
import { behave, type Action } from './behaviour.js';

const flags = new Set(process.argv.slice(2));

function act(action: Action): void {
  switch (action.kind) {
    case 'message':
      process.stdout.write(`${JSON.stringify(action.message)}\n`);
      return;
    case 'garbage':
      process.stdout.write('Server listening…\n\n{"truncated":\n[1,2\r\n\u0007bell\n');
      return;
    case 'die':
      process.stderr.write('fatal: asked to die\n', () => process.exit(3));
      return;
  }
}

if (flags.has('grandchild')) {
  // Holds the group open, and stdout with it; ignores the polite signal.
  const child = spawn('/bin/sh', ['-c', "trap '' TERM; while :; do sleep 1; done"], { stdio: 'inherit' });
  process.stderr.write(`grandchild ${child.pid ?? 0}\n`);
}
if (flags.has('stubborn')) {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1_000_000);
}
if (flags.has('env')) {
  const own = { argv: process.argv.slice(2), env: process.env, cwd: process.cwd() };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'test/self', params: own })}\n`);
}
if (flags.has('flood')) {
  for (let i = 0; i < 5_000; i++) process.stderr.write(`flood ${i}\n`);
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'test/flooded' })}\n`);
}
if (flags.has('endless')) {
  process.stdout.on('error', () => process.exit(0));
  const pour = (): void => void process.stdout.write('x'.repeat(65_536), pour);
  pour();
}
if (flags.has('unread')) {
  setInterval(() => undefined, 1_000_000);
} else {
  // Not readline: it takes U+2028 for a line end, which JSON may hold.
  let text = '';
  process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) for (const action of behave(JSON.parse(line))) act(action);
  });
}
