/** `viable upstream login`: gives the gateway a person's consent to use a server. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import type { Command } from 'commander';
import { line, span } from '../admin/view/line.js';
import { printJson, printLines, RefusedError, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { port } from './parse.js';

interface LoginOptions extends GlobalOptions {
  readonly callbackPort: number;
}

const EXAMPLES = `
The address is to be opened in a browser on this machine: its answer comes to a port of 127.0.0.1.

Examples:
  viable upstream login github
  viable upstream login --callback-port 8976 github`;

export function addUpstream(program: Command, io: CliIo): void {
  const upstream = program
    .command('upstream')
    .description('one upstream: its credentials')
    .addHelpText('after', EXAMPLES);
  upstream
    .command('login')
    .description('authorize the gateway at the server’s authorization server (OAuth 2.1, PKCE)')
    .argument('<server>', 'as in mcpServers, with viable.auth.type authorization_code')
    .option('--callback-port <number>', 'port of 127.0.0.1 for the answer; 0 takes a free one', port(0), 0)
    .action((server: string, _, command: Command) => login(io, command.optsWithGlobals<LoginOptions>(), server));
}

async function login(io: CliIo, options: LoginOptions, server: string): Promise<void> {
  const state = randomBytes(24).toString('base64url');
  const callback = await listen(state, options.callbackPort, io.signal);
  try {
    await withGateway(io, options, async (client) => {
      const { url } = await client.request('login-begin', { server, redirectUri: callback.redirectUri, state });
      if (options.json === true) io.stdout.write(`${JSON.stringify({ url })}\n`);
      else printLines(io, [line('Open this address in a browser:'), line(span(url, 'accent'))]);
      const { code, iss } = await callback.answer;
      await client.request('login-finish', { server, state, code, ...(iss !== undefined && { iss }) });
      if (options.json === true) printJson(io, { loggedIn: server });
      else printLines(io, [line(span('Logged in', 'ok'), `: ${server} is being connected.`)]);
    });
  } finally {
    callback.close();
  }
}

interface Callback {
  readonly redirectUri: string;
  readonly answer: Promise<{ readonly code: string; readonly iss: string | undefined }>;
  close(): void;
}

/** Waits on a loopback port for one answer that carries our state (RFC 8252, 7.3); others get 400. */
async function listen(state: string, port: number, signal: AbortSignal): Promise<Callback> {
  let server: Server | undefined;
  const answer = new Promise<{ code: string; iss: string | undefined }>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new RefusedError('interrupted', 'interrupted.', [])), { once: true });
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const { searchParams: params } = url;
      const ours = url.pathname === '/callback' && params.get('state') === state;
      const code = params.get('code');
      const text = !ours
        ? 'This is no answer to a login.'
        : code === null
          ? 'The login was refused.'
          : 'You may close this page.';
      response
        .writeHead(ours ? 200 : 400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
        .end(text);
      if (!ours) return;
      if (code === null)
        reject(new RefusedError('login_refused', `the login was refused: ${params.get('error') ?? 'no code'}.`, []));
      else resolve({ code, iss: params.get('iss') ?? undefined });
    });
  });
  answer.catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    server?.once('error', reject);
    server?.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server?.address() as AddressInfo).port;
  return {
    redirectUri: `http://127.0.0.1:${bound}/callback`,
    answer,
    close: () => {
      server?.close();
      server?.closeAllConnections();
    },
  };
}
