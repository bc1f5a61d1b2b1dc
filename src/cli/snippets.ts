/**
 * How each MCP client is told of this gateway: the text, and where it belongs. Pure.
 *
 * Sources: the configuration references of the clients, as of November 2026. Where a client knows references to variables
 * they are used; the token itself is never written.
 */

export interface Endpoint {
  /** What the client calls it. */
  readonly name: string;
  /** `http://127.0.0.1:4000/mcp`, or of one upstream. */
  readonly url: string;
  /** The command that is a stdio server of it. */
  readonly stdio: { readonly command: string; readonly args: readonly string[] };
  /** Environment variable with the token; `null`: none is asked for. */
  readonly tokenEnv: string | null;
}

export interface Snippet {
  readonly title: string;
  /** Where the text belongs; `null`: anywhere. */
  readonly file: string | null;
  readonly format: 'json' | 'shell' | 'typescript';
  /** What else there is to do. */
  readonly hint?: (endpoint: Endpoint) => string | null;
  readonly render: (endpoint: Endpoint) => string;
}

export const SNIPPETS = {
  'claude-code': {
    title: 'Claude Code, by its command',
    file: null,
    format: 'shell',
    render: ({ name, url, tokenEnv }) =>
      `claude mcp add --transport http ${name} ${shellWord(url)}${tokenEnv === null ? '' : ` --header "Authorization: Bearer $${tokenEnv}"`}`,
  },
  'claude-code-project': {
    title: 'Claude Code, for a project',
    file: '.mcp.json',
    format: 'json',
    render: (endpoint) =>
      json({ mcpServers: { [endpoint.name]: { type: 'http', ...remote(endpoint, (name) => `\${${name}}`) } } }),
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    file: 'claude_desktop_config.json (Settings › Developer › Edit Config)',
    format: 'json',
    hint: tokenByHand,
    render: ({ name, stdio, tokenEnv }) => json({ mcpServers: { [name]: program(stdio, tokenEnv) } }),
  },
  cursor: {
    title: 'Cursor',
    file: '~/.cursor/mcp.json, or .cursor/mcp.json of a project',
    format: 'json',
    render: (endpoint) => json({ mcpServers: { [endpoint.name]: remote(endpoint, (name) => `\${env:${name}}`) } }),
  },
  vscode: {
    title: 'VS Code',
    file: '.vscode/mcp.json, or mcp.json of the user (MCP: Open User Configuration)',
    format: 'json',
    render: (endpoint) => {
      const { name, tokenEnv } = endpoint;
      const input = { type: 'promptString', id: `${name}-token`, description: `Token of ${name}`, password: true };
      return json({
        ...(tokenEnv !== null && { inputs: [input] }),
        servers: { [name]: { type: 'http', ...remote(endpoint, () => `\${input:${input.id}}`) } },
      });
    },
  },
  windsurf: {
    title: 'Windsurf',
    file: '~/.codeium/windsurf/mcp_config.json',
    format: 'json',
    render: (endpoint) => {
      const { url, ...rest } = remote(endpoint, (name) => `\${env:${name}}`);
      return json({ mcpServers: { [endpoint.name]: { serverUrl: url, ...rest } } });
    },
  },
  zed: {
    title: 'Zed',
    file: 'settings.json (zed: open settings)',
    format: 'json',
    hint: tokenByHand,
    render: (endpoint) => json({ context_servers: { [endpoint.name]: remote(endpoint, placeholder) } }),
  },
  http: {
    title: 'anything that takes a URL',
    file: null,
    format: 'json',
    hint: tokenByHand,
    render: (endpoint) => json({ mcpServers: { [endpoint.name]: { type: 'http', ...remote(endpoint, placeholder) } } }),
  },
  stdio: {
    title: 'anything that starts a program',
    file: null,
    format: 'json',
    hint: tokenByHand,
    render: ({ name, stdio, tokenEnv }) => json({ mcpServers: { [name]: program(stdio, tokenEnv) } }),
  },
  typescript: {
    title: 'the MCP SDK for TypeScript',
    file: null,
    format: 'typescript',
    render: ({ url, tokenEnv }) => `import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const client = new Client({ name: 'my-client', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL('${url}')${tokenEnv === null ? '' : `, {\n  requestInit: { headers: { Authorization: \`Bearer \${process.env.${tokenEnv}}\` } },\n}`}));
const { tools } = await client.listTools();`,
  },
  phoenix: {
    title: 'Phoenix Channels',
    file: null,
    format: 'typescript',
    render: ({ url, tokenEnv }) => `import { Socket } from 'phoenix';

const socket = new Socket('${webSocket(url)}'${tokenEnv === null ? '' : `, { params: { token: process.env.${tokenEnv} } }`});
socket.connect();
const channel = socket.channel('mcp:gateway', {});
// MCP messages are the event "mcp", both ways; the first one is \`initialize\`.
channel.on('mcp', (message) => console.log(message));
channel.join().receive('ok', (joined) => console.log('joined', joined));`,
  },
} as const satisfies Readonly<Record<string, Snippet>>;

export type SnippetName = keyof typeof SNIPPETS;

interface Remote {
  readonly url: string;
  readonly headers?: { readonly Authorization: string };
}

function remote({ url, tokenEnv }: Endpoint, reference: (name: string) => string): Remote {
  return { url, ...(tokenEnv !== null && { headers: { Authorization: `Bearer ${reference(tokenEnv)}` } }) };
}

function program({ command, args }: Endpoint['stdio'], tokenEnv: string | null): object {
  return { command, args, ...(tokenEnv !== null && { env: { VIABLE_TOKEN: placeholder(tokenEnv) } }) };
}

function placeholder(name: string): string {
  return `<the value of ${name}>`;
}

function tokenByHand({ tokenEnv }: Endpoint): string | null {
  return tokenEnv === null ? null : `It knows no variables: write the token in place of ${placeholder(tokenEnv)}.`;
}

/** Channels are those of the whole gateway. */
function webSocket(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin.replace(/^http/, 'ws')}${pathname.replace(/\/s\/[^/]*$/, '')}/ws`;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function shellWord(text: string): string {
  return /^[\w:/.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
