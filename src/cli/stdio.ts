/**
 * `viable stdio`: a stdio MCP server for clients that can only start a process.
 *
 * It joins the gateway that runs; where none does, or with `--config`, it runs one in its own process.
 */
import type { Command } from 'commander';
import { connectAdmin, discoverSocket, NoGatewayError } from '../admin/client.js';
import { UsageError, type CliIo, type GlobalOptions } from './context.js';
import { endpoint } from './parse.js';

interface StdioOptions extends GlobalOptions {
  readonly url?: string;
  readonly server?: string;
  readonly config?: string;
}

const HELP = `
Without --url the gateway is found as by every other command; where none runs, one is run in this process, with the
servers of --config or the demo. stdout carries MCP messages only; what there is to say is said on stderr.

Examples:
  viable stdio
  viable stdio --server filesystem
  viable stdio --url http://127.0.0.1:4000/mcp
  viable stdio --config gateway.json`;

export function addStdio(program: Command, io: CliIo): void {
  program
    .command('stdio')
    .description('an MCP server on stdin and stdout, for clients that start a process')
    .option('--url <url>', 'MCP endpoint of the gateway', endpoint)
    .option('--server <name>', 'serve one upstream alone, names unprefixed')
    .option('--config <file>', 'run a gateway with this configuration in this process')
    .addHelpText('after', HELP)
    .action((_, command: Command) => stdio(io, command.optsWithGlobals<StdioOptions>()));
}

async function stdio(io: CliIo, options: StdioOptions): Promise<void> {
  const { url, config, server } = options;
  if (url !== undefined && config !== undefined) throw new UsageError('--url and --config exclude each other.');
  const of = (base: string): string => endpointOf(base, server);
  if (url !== undefined) return io.serveStdio(() => Promise.resolve(of(url)));
  const running = config === undefined ? await runningGateway(io, options) : undefined;
  if (running !== undefined) return io.serveStdio(async () => of(await urlOf(io, options)));
  const gateway = await io.startGateway(config).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  try {
    await io.serveStdio(() => Promise.resolve(of(gateway.url)));
  } finally {
    await gateway.stop();
  }
}

/** `undefined` when none runs. That one was named and does not answer is an error, as are several to choose from. */
async function runningGateway(io: CliIo, options: GlobalOptions): Promise<string | undefined> {
  const named = [options.socket, options.port, io.env['VIABLE_ADMIN_SOCKET'], io.env['VIABLE_PORT']];
  try {
    return await urlOf(io, options);
  } catch (error) {
    const isNamed = named.some((name) => name !== undefined && name !== '');
    if (error instanceof NoGatewayError && error.code === 'no_gateway' && !isNamed) return undefined;
    throw error;
  }
}

async function urlOf(io: CliIo, options: GlobalOptions): Promise<string> {
  const client = await connectAdmin(discoverSocket(options, io.env));
  try {
    return (await client.request('status')).url;
  } finally {
    client.close();
  }
}

function endpointOf(base: string, server: string | undefined): string {
  const url = new URL(base);
  const path = url.pathname.replace(/\/$/, '') || '/mcp';
  url.pathname = server === undefined ? path : `${path}/s/${encodeURIComponent(server)}`;
  return url.href;
}
