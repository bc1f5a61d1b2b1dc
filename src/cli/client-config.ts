/** `viable client-config`: what to write into the configuration of an MCP client. */
import { fileURLToPath } from 'node:url';
import { Argument, InvalidArgumentError, type Command } from 'commander';
import { NoGatewayError } from '../admin/client.js';
import type { GatewaySnapshot } from '../admin/protocol.js';
import { line, span, type Line } from '../admin/view/line.js';
import { paintLine } from '../admin/view/paint.js';
import { colorful, printJson, printTable, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { endpoint, oneOf } from './parse.js';
import { SNIPPETS, type Endpoint, type Snippet, type SnippetName } from './snippets.js';

interface ClientConfigOptions extends GlobalOptions {
  readonly url?: string;
  readonly tokenEnv?: string;
  readonly server?: string;
  readonly name: string;
}

type Mode = GatewaySnapshot['auth']['mode'];

const CLIENTS = Object.keys(SNIPPETS);
const DEFAULT_URL = 'http://127.0.0.1:4000/mcp';

const HELP = `
The text goes to stdout, where to put it to stderr. Without --url it is that of the gateway that runs, else ${DEFAULT_URL}.

Examples:
  viable client-config
  viable client-config cursor > .cursor/mcp.json
  viable client-config vscode --token-env VIABLE_TOKEN
  viable client-config claude-desktop --server github --name github`;

export function addClientConfig(program: Command, io: CliIo): void {
  program
    .command('client-config')
    .description('what to write into the configuration of an MCP client')
    .addArgument(new Argument('[client]', 'absent: list them').choices(CLIENTS).argParser(oneOf(CLIENTS)))
    .option('--url <url>', 'the MCP endpoint', endpoint)
    .option('--token-env <name>', 'environment variable with the token, for a gateway that asks for one', variable)
    .option('--server <name>', 'one upstream alone, names unprefixed')
    .option('--name <name>', 'what the client calls it', 'viable')
    .addHelpText('after', HELP)
    .action(async (client: SnippetName | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<ClientConfigOptions>();
      if (client === undefined) list(io, options);
      else await show(io, options, client);
    });
}

function list(io: CliIo, options: ClientConfigOptions): void {
  const rows = Object.entries<Snippet>(SNIPPETS).map(([client, { title, file, format }]) => ({
    client,
    title,
    file,
    format,
  }));
  if (options.json === true) {
    printJson(io, rows);
    return;
  }
  printTable(
    io,
    [
      { title: 'CLIENT', cell: ({ client }) => span(client, 'strong') },
      { title: 'FOR', min: 20, cell: ({ title }) => title },
      { title: 'WHERE', min: 20, rank: 1, cell: ({ file }) => file ?? '–' },
    ],
    rows,
    '',
  );
}

async function show(io: CliIo, options: ClientConfigOptions, client: SnippetName): Promise<void> {
  const snippet: Snippet = SNIPPETS[client];
  const { target, mode } = await endpointOf(io, options);
  const text = snippet.render(target);
  const hint = snippet.hint?.(target) ?? null;
  if (options.json === true) {
    const { file, format, title } = snippet;
    const config: unknown = format === 'json' ? JSON.parse(text) : null;
    printJson(io, { client, title, file, format, url: target.url, running: mode !== undefined, hint, text, config });
    return;
  }
  const about: Line[] = [];
  if (snippet.file !== null) about.push(line('Into ', span(snippet.file, 'strong'), ':'));
  if (mode === undefined && options.url === undefined)
    about.push(line(span('▲ ', 'warn'), `No gateway runs; this is for one at ${target.url}.`));
  if (mode !== undefined && mode !== 'off' && options.tokenEnv === undefined)
    about.push(line(span('▲ ', 'warn'), 'This gateway asks for a token: name its variable with --token-env.'));
  if (hint !== null) about.push(line(span('▲ ', 'warn'), hint));
  const color = colorful(io.stderr, io.env);
  for (const each of about) io.stderr.write(`${paintLine(each, { color, attributes: color })}\n`);
  io.stdout.write(`${text}\n`);
}

async function endpointOf(
  io: CliIo,
  options: ClientConfigOptions,
): Promise<{ readonly target: Endpoint; readonly mode: Mode | undefined }> {
  const { server, name, tokenEnv = null } = options;
  const running = options.url === undefined ? await runningGateway(io, options) : undefined;
  const base = new URL(options.url ?? running?.url ?? DEFAULT_URL);
  const path = base.pathname.replace(/\/$/, '') || '/mcp';
  base.pathname = path;
  // `viable stdio` finds a gateway on the usual port by itself, and runs one where there is none.
  const isUsual = base.href === DEFAULT_URL && options.url === undefined;
  const args = [
    'stdio',
    ...(isUsual ? [] : ['--url', base.href]),
    ...(server === undefined ? [] : ['--server', server]),
  ];
  if (server !== undefined) base.pathname = `${path}/s/${encodeURIComponent(server)}`;
  // With absolute paths: programs that are started from a desktop do not have the PATH of a shell.
  const script = fileURLToPath(new URL('../cli.js', import.meta.url));
  const stdio = { command: process.execPath, args: [script, ...args] };
  return { target: { name, url: base.href, stdio, tokenEnv }, mode: running?.auth.mode };
}

/** `undefined` when none runs. One that was named must answer. */
async function runningGateway(io: CliIo, options: GlobalOptions): Promise<GatewaySnapshot | undefined> {
  try {
    return await withGateway(io, options, (client) => client.request('status'));
  } catch (error) {
    const isNamed = options.socket !== undefined || options.port !== undefined;
    if (error instanceof NoGatewayError && error.code === 'no_gateway' && !isNamed) return undefined;
    throw error;
  }
}

function variable(text: string): string {
  if (/^[A-Za-z_]\w*$/.test(text)) return text;
  throw new InvalidArgumentError('a variable has letters, digits and `_`; give its name, not the token.');
}
