/** `viable upgrade`: a successor takes over from the running gateway; nobody is refused and nothing is lost. */
import path from 'node:path';
import type { Command } from 'commander';
import { connectAdmin, type AdminClient } from '../admin/client.js';
import type { GatewaySnapshot, HandoverSnapshot } from '../admin/protocol.js';
import { line, span, type Line } from '../admin/view/line.js';
import { printLines, RefusedError, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { DrainMeter } from './drain-meter.js';
import { milliseconds } from './parse.js';

interface UpgradeOptions extends GlobalOptions {
  readonly exec?: string;
  readonly config?: string;
  readonly timeout?: number;
  /** `false` with `--no-wait`. */
  readonly wait?: boolean;
}

const EXAMPLES = `
The successor is the same command with the same options; it takes over the listening socket, the admin socket, idle
connections and sessions. If it does not get ready it is ended, the running gateway goes on, and the exit code is 1.

Examples:
  viable upgrade
  viable upgrade --exec /opt/viable-2/dist/main.js
  viable upgrade --config /etc/viable/new.json --timeout 2m`;

const WATCH_MS = 100;

export function addUpgrade(program: Command, io: CliIo): void {
  program
    .command('upgrade')
    .description('hand over to a new process without refusing or losing anything')
    .option('--exec <path>', 'what to run: a script for Node or an executable; the same as now by default')
    .option('--config <file>', 'its configuration file; the same as now by default')
    .option('--timeout <time>', 'how long it may take to get ready (1m by default)', milliseconds)
    .option('--no-wait', 'return when it serves, while the old process still drains')
    .addHelpText('after', EXAMPLES)
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<UpgradeOptions>();
      return withGateway(io, options, (client) => upgrade(io, options, client));
    });
}

async function upgrade(io: CliIo, options: UpgradeOptions, client: AdminClient): Promise<void> {
  const meter = new DrainMeter(io, options.json === true);
  const begun = await client.request('upgrade', {
    ...(options.exec !== undefined && { exec: path.resolve(options.exec) }),
    ...(options.config !== undefined && { config: path.resolve(options.config) }),
    ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
  });
  const say = sayer(io, options.json === true);
  say(begun);
  let last = begun;
  try {
    await new Promise<void>((resolve, reject) => {
      client.onClose(resolve);
      const look = ({ handover, drain }: GatewaySnapshot): void => {
        if (handover === null) return;
        last = handover;
        if (drain !== null) meter.show(drain);
        else say(handover);
        if (handover.state === 'failed' || (handover.state === 'draining' && options.wait === false)) resolve();
      };
      client.watch(WATCH_MS, look).catch(reject);
    });
  } finally {
    meter.stop();
  }
  if (last.state === 'failed') {
    const message = `The successor did not take over, the gateway goes on: ${last.error ?? 'nobody knows why'}.`;
    throw new RefusedError('handover_failed', message, []);
  }
  const successor = await connectAdmin(client.path);
  try {
    const { pid, url } = await successor.request('status');
    if (options.json === true) io.stdout.write(`${JSON.stringify({ state: 'done', pid, url })}\n`);
    else printLines(io, [line(span(`Process ${pid} serves ${url}.`, 'strong'))]);
    if (pid !== last.pid)
      throw new RefusedError('handover_failed', 'Another process answers there than was started.', []);
  } finally {
    successor.close();
  }
}

const WORDS: Readonly<Record<HandoverSnapshot['state'], string>> = {
  idle: '',
  starting: 'starts, its servers connect',
  switching: 'takes the sockets over',
  draining: 'serves; the old process empties itself',
  done: 'serves alone',
  failed: 'has failed',
};

/** Says each state once. */
function sayer(io: CliIo, json: boolean): (handover: HandoverSnapshot) => void {
  const said = new Set<string>();
  return (handover) => {
    if (said.has(handover.state)) return;
    said.add(handover.state);
    const words: Line = line(span(`successor ${handover.pid ?? '?'} `, 'strong'), WORDS[handover.state]);
    if (json) io.stdout.write(`${JSON.stringify(handover)}\n`);
    else printLines(io, [words]);
  };
}
