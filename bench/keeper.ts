/**
 * Runs a program that knows nothing of the benchmark and ends it when the parent is gone. Says which process it is,
 * and passes its output through.
 *
 *   node dist-test/bench/keeper.js -- PROGRAM ARG…
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { announce } from './lifeline.js';

/** What the program gets to leave on its own before it is killed. */
const TERM_MS = 5_000;

const { positionals } = parseArgs({ allowPositionals: true });
const [command, ...args] = positionals;
if (command === undefined) throw new Error('a program to run is needed');
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
announce({ event: 'spawned', pid: child.pid });
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code) => process.exit(code ?? 1));
process.on('disconnect', () => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), TERM_MS).unref();
});
