#!/usr/bin/env node
/** Entry of the `viable` command: ties `runCli` to this process, its terminal and its signals. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliIo } from './cli/context.js';
import { EXIT_CODES } from './cli/exit-codes.js';
import { runCli } from './cli/program.js';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.ok : EXIT_CODES.defect);
});

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
  sleep: async (ms) => {
    await delay(ms, undefined, { signal: stop.signal }).catch(() => undefined);
  },
  run: (file, args) =>
    new Promise((resolve, reject) => {
      const child = spawn(file, args, { stdio: 'inherit' });
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? EXIT_CODES.defect));
    }),
  serveStdio: async (url) => {
    process.once('SIGTERM', () => stop.abort());
    const { runBridge } = await import('./stdio/run.js');
    await runBridge(process, url, stop.signal);
  },
  startGateway: async (config) => {
    const { startInProcess } = await import('./gateway/in-process.js');
    return startInProcess(config, process.env);
  },
  openTokens: async (config) => {
    const { openTokens } = await import('./gateway/token-command.js');
    return openTokens(config, process.env);
  },
  verifyToken: async (token, jwks) => {
    const { verifyWithFile } = await import('./gateway/token-command.js');
    return verifyWithFile(token, jwks);
  },
  examine: async (options, observer) => {
    const { examine } = await import('./doctor/examine.js');
    await examine(options, process.env, observer);
  },
  planSetup: async (request) => {
    const { planSetup } = await import('./setup/make.js');
    return planSetup(request, process.env);
  },
  checkSetup: async (file, variables) => {
    const { checkSetup } = await import('./setup/make.js');
    return checkSetup(file, variables, process.env);
  },
  confirm: async (question) => {
    if (!process.stdin.isTTY || !process.stdout.isTTY) return true;
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      const answer = await lines.question(`${question} [Y/n] `, { signal: stop.signal });
      return !/^\s*n/i.test(answer);
    } catch {
      return false;
    } finally {
      lines.close();
    }
  },
};

const code = await runCli(process.argv.slice(2), io);
process.exitCode = stop.signal.aborted ? EXIT_CODES.interrupted : code;
