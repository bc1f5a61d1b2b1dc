/**
 * Where MCP clients keep their servers, by system. Pure.
 *
 * Sources: the configuration references of the clients, as of November 2026.
 */
import path from 'node:path';
import type { ClientFile, ClientId } from './plan.js';

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's folder: some clients keep a file in it. */
  readonly directory: string;
}

/** Every place there is, whether the file exists or not; a person's own before the project's. */
export function usualPlaces(machine: Machine): readonly ClientFile[] {
  const { home, directory } = machine;
  const settings = settingsFolder(machine);
  const at = (client: ClientId, ...parts: readonly [string, ...string[]]): ClientFile => ({
    client,
    path: path.join(...parts),
  });
  return [
    at('claude-desktop', settings, 'Claude', 'claude_desktop_config.json'),
    at('claude-code', home, '.claude.json'),
    at('cursor', home, '.cursor', 'mcp.json'),
    at('vscode', settings, 'Code', 'User', 'mcp.json'),
    at('windsurf', home, '.codeium', 'windsurf', 'mcp_config.json'),
    at('claude-code', directory, '.mcp.json'),
    at('cursor', directory, '.cursor', 'mcp.json'),
    at('vscode', directory, '.vscode', 'mcp.json'),
  ];
}

function settingsFolder({ platform, home, env }: Machine): string {
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support');
  if (platform === 'win32') return env['APPDATA'] ?? path.join(home, 'AppData', 'Roaming');
  const config = env['XDG_CONFIG_HOME'];
  return config !== undefined && path.isAbsolute(config) ? config : path.join(home, '.config');
}

/** Whose file this is, by its name; `other` when it says nothing. */
export function clientOf(file: string): ClientId {
  const [folder = '', name = ''] = file.split(/[/\\]/).slice(-2);
  if (name === 'claude_desktop_config.json') return 'claude-desktop';
  if (name === '.claude.json' || name === '.mcp.json') return 'claude-code';
  if (name === 'mcp_config.json') return 'windsurf';
  if (folder === '.cursor') return 'cursor';
  if (folder === '.vscode' || folder === 'User') return 'vscode';
  return 'other';
}

/** The folder that a project's file belongs to; `null` for a person's own. */
export function projectOf(file: string, home: string): string | null {
  const folder = path.dirname(file);
  if (path.basename(file) === '.mcp.json') return folder;
  if (!['.vscode', '.cursor'].includes(path.basename(folder))) return null;
  const project = path.dirname(folder);
  return project === home ? null : project;
}
