/**
 * Keys that MCP clients themselves write into the files that this gateway reads. They mean nothing here, so they are
 * accepted with a warning; where ignoring one changes what a user sees, the hint says what to write in its place.
 *
 * Sources: the configuration references of Claude Desktop, Claude Code, VS Code, Cursor, Cline, Roo Code, Windsurf,
 * Gemini CLI and GitHub Copilot, as of November 2026.
 */
export interface IgnoredKey {
  readonly key: string;
  /** Who writes it. */
  readonly client: string;
  /** What to do for the same effect, a full sentence. */
  readonly hint?: string;
}

const ALLOW = 'For the same effect list the tools in `viable.allow`.';
const DENY = 'For the same effect list the tools in `viable.deny`.';
const OAUTH = 'For a token that you already have use `headers`.';

export const IGNORED_SERVER_KEYS: readonly IgnoredKey[] = [
  { key: 'alwaysAllow', client: 'Roo Code and Cline' },
  { key: 'autoApprove', client: 'Cline' },
  {
    key: 'timeout',
    client: 'Cline, Roo Code, Claude Code and Gemini CLI',
    hint: 'Its unit differs between them; use `viable.timeouts.request`, in milliseconds.',
  },
  { key: 'disabledTools', client: 'Roo Code and Windsurf', hint: DENY },
  { key: 'excludeTools', client: 'Gemini CLI', hint: DENY },
  { key: 'includeTools', client: 'Gemini CLI', hint: ALLOW },
  { key: 'tools', client: 'GitHub Copilot', hint: ALLOW },
  { key: 'envFile', client: 'VS Code and Cursor', hint: 'The file is not read; put the variables into `env`.' },
  { key: 'auth', client: 'Cursor', hint: OAUTH },
  { key: 'oauth', client: 'Claude Code, VS Code and Gemini CLI', hint: OAUTH },
  { key: 'authProviderType', client: 'Gemini CLI', hint: OAUTH },
  { key: 'headersHelper', client: 'Claude Code', hint: 'The command is not run; put the headers into `headers`.' },
  { key: 'alwaysLoad', client: 'Claude Code' },
  { key: 'trust', client: 'Gemini CLI' },
  { key: 'watchPaths', client: 'Roo Code' },
  { key: 'dev', client: 'VS Code' },
  { key: 'gallery', client: 'VS Code' },
  { key: 'version', client: 'VS Code' },
  { key: 'sandboxEnabled', client: 'VS Code', hint: 'The server is not put into a sandbox.' },
  { key: 'sandbox', client: 'VS Code', hint: 'The server is not put into a sandbox.' },
  { key: 'name', client: 'various clients', hint: 'The key of the entry is the name.' },
  { key: 'description', client: 'various clients' },
  { key: 'icon', client: 'various clients' },
];

export const IGNORED_TOP_LEVEL_KEYS: readonly IgnoredKey[] = [
  { key: 'globalShortcut', client: 'Claude Desktop' },
  { key: 'preferences', client: 'Claude Desktop' },
  { key: 'theme', client: 'Claude Desktop' },
  { key: 'scale', client: 'Claude Desktop' },
  { key: 'locale', client: 'Claude Desktop' },
  { key: 'isUsingBuiltInNodeForMcp', client: 'Claude Desktop' },
  { key: 'isDxtAutoUpdatesEnabled', client: 'Claude Desktop' },
  { key: 'isHardwareAccelerationDisabled', client: 'Claude Desktop' },
  {
    key: 'inputs',
    client: 'VS Code',
    hint: 'Nobody is asked; write `${NAME}` for an environment variable in place of `${input:name}`.',
  },
  { key: 'sandbox', client: 'VS Code', hint: 'Servers are not put into a sandbox.' },
];

/** Keys that mean something elsewhere: refused, with the right name as the suggestion. */
export const MISNAMED_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    serverUrl: 'url',
    httpUrl: 'url',
    endpoint: 'url',
    transport: 'type',
    transportType: 'type',
    enabled: 'disabled',
    isActive: 'disabled',
    environment: 'env',
    mcp: 'mcpServers',
    mcp_servers: 'mcpServers',
    context_servers: 'mcpServers',
  }),
);
