/**
 * What the schema cannot say about a server entry: fields that exclude or need each other, addresses, header syntax,
 * names. Works on the raw document, so that it reports along with the schema and not after it.
 */
import { isRecord, type Path } from './path.js';
import type { Finding } from './problems.js';
import { TRANSPORT_TYPES } from './schema.js';

export interface ServerFindings {
  readonly problems: Finding[];
  readonly warnings: Finding[];
}

type Entry = Readonly<Record<string, unknown>>;

/** RFC 9110, 5.1: a field name is a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const REMOTE_ONLY = ['headers'] as const;
const STDIO_ONLY = ['args', 'env', 'cwd'] as const;

export function checkServers(root: Entry): ServerFindings {
  const findings: ServerFindings = { problems: [], warnings: [] };
  let total = 0;
  for (const group of ['mcpServers', 'servers']) {
    const servers = root[group];
    if (!isRecord(servers)) continue;
    for (const [name, entry] of Object.entries(servers)) {
      total++;
      const path = [group, name];
      checkName(name, path, findings);
      if (group === 'servers' && isRecord(root['mcpServers']) && Object.hasOwn(root['mcpServers'], name)) {
        findings.problems.push({ path, at: 'key', message: '`mcpServers` has a server of the same name' });
      }
      if (isRecord(entry)) checkEntry(entry, path, findings);
    }
  }
  const declared = root['mcpServers'] ?? root['servers'];
  if (total === 0 && (declared === undefined || isRecord(declared))) {
    findings.warnings.push({ path: ['mcpServers'], message: 'there is no server: clients will find nothing' });
  }
  return findings;
}

function checkName(name: string, path: Path, { problems }: ServerFindings): void {
  if (name.trim() === '') {
    problems.push({ path, at: 'key', message: 'the name of a server must not be empty', suggestion: 'give it a name' });
  } else if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\?#]/u.test(name) || name === '.' || name === '..') {
    problems.push({
      path,
      at: 'key',
      message: 'the name of a server is part of an address and must not hold `/`, `\\`, `?`, `#` or control characters',
    });
  } else if (name.length > 64) {
    problems.push({ path, at: 'key', message: 'the name of a server must be at most 64 characters long' });
  }
}

function checkEntry(entry: Entry, path: Path, findings: ServerFindings): void {
  const { problems } = findings;
  const hasCommand = entry['command'] !== undefined;
  const hasUrl = entry['url'] !== undefined;
  const type = transportOf(entry['type']);
  if (hasCommand && hasUrl) {
    problems.push({ path, at: 'key', message: 'has both `command` and `url`', suggestion: 'keep one of them' });
  } else if (!hasCommand && !hasUrl) {
    if (!hasMisspeltTarget(entry)) problems.push(noTarget(path, type));
  } else if (hasCommand && type !== undefined && type !== 'stdio') {
    problems.push({ path: [...path, 'type'], message: 'does not go with `command`', suggestion: 'write `stdio`' });
  } else if (hasUrl && type === 'stdio') {
    const message = 'does not go with `url`';
    problems.push({ path: [...path, 'type'], message, suggestion: 'write `http`, `sse` or `ws`' });
  }
  if (hasUrl && !hasCommand) problems.push(...checkUrl(entry['url'], type, [...path, 'url']));
  if (hasCommand !== hasUrl) warnUseless(entry, path, hasUrl ? STDIO_ONLY : REMOTE_ONLY, hasUrl, findings);
  checkCommand(entry, path, findings);
  checkHeaders(entry, path, findings);
  warnNotStrings(entry, path, findings);
}

function transportOf(type: unknown): 'stdio' | 'http' | 'sse' | 'ws' | undefined {
  if (typeof type !== 'string' || !Object.hasOwn(TRANSPORT_TYPES, type)) return undefined;
  return TRANSPORT_TYPES[type as keyof typeof TRANSPORT_TYPES];
}

/** The unknown key is reported with its suggestion; a second problem about the missing one would only confuse. */
function hasMisspeltTarget(entry: Entry): boolean {
  return Object.keys(entry).some((key) => /^(?:com+[an]+d?s?|cmd|uri|urls?|serverurl|httpurl|endpoint)$/i.test(key));
}

function noTarget(path: Path, type: ReturnType<typeof transportOf>): Finding {
  const missing = type === undefined ? '`command` or `url`' : type === 'stdio' ? '`command`' : '`url`';
  const suggestion =
    type === undefined || type === 'stdio'
      ? 'add `"command": "npx"` with `args` for a program, or `"url": "https://…"` for a running server'
      : 'add `"url": "https://…"`';
  return { path, at: 'key', message: `${missing} is missing`, suggestion };
}

function checkUrl(url: unknown, type: ReturnType<typeof transportOf>, path: Path): Finding[] {
  if (typeof url !== 'string' || url === '') return [];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const wanted = type === 'ws' ? 'ws' : 'http';
    return [{ path, message: 'the scheme is missing', suggestion: `begin with \`${wanted}://\` or \`${wanted}s://\`` }];
  }
  const allowed =
    type === 'ws' ? ['ws', 'wss'] : type === undefined ? ['http', 'https', 'ws', 'wss'] : ['http', 'https'];
  if (!allowed.includes(scheme)) return [wrongScheme(scheme, allowed, path)];
  if (!URL.canParse(url)) return [{ path, message: 'is no valid URL', suggestion: 'check host and port' }];
  const { username, password } = new URL(url);
  if (username === '' && password === '') return [];
  const message = 'holds a user name or password, which would end up in logs';
  return [{ path, message, suggestion: 'send them in `headers`, as in `"Authorization": "Basic ${TOKEN}"`' }];
}

function wrongScheme(scheme: string, allowed: readonly string[], path: Path): Finding {
  const known = ['http', 'https', 'ws', 'wss'].includes(scheme);
  const list = allowed.map((name) => `\`${name}://\``).join(' or ');
  if (!known) return { path, message: `must begin with ${list}` };
  const type = scheme.startsWith('ws') ? 'ws' : 'http';
  return {
    path,
    message: `\`${scheme}://\` does not go with this \`type\``,
    suggestion: `use ${list}, or \`"type": "${type}"\``,
  };
}

function warnUseless(
  entry: Entry,
  path: Path,
  keys: readonly string[],
  remote: boolean,
  { warnings }: ServerFindings,
): void {
  for (const key of keys) {
    const value = entry[key];
    const empty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (value === undefined || empty) continue;
    const message = remote ? 'ignored: nothing is started for a `url`' : 'ignored: a program takes no headers';
    warnings.push({ path: [...path, key], at: 'key', message });
  }
}

function checkCommand(entry: Entry, path: Path, { warnings }: ServerFindings): void {
  const command = entry['command'];
  if (typeof command !== 'string' || entry['args'] !== undefined || !/^[\w.-]+\s+\S/.test(command)) return;
  const message = 'holds a space, and no shell splits it';
  warnings.push({ path: [...path, 'command'], message, suggestion: 'put everything after the program into `args`' });
}

function checkHeaders(entry: Entry, path: Path, { problems }: ServerFindings): void {
  const headers = entry['headers'];
  if (!isRecord(headers)) return;
  for (const [name, value] of Object.entries(headers)) {
    const here = [...path, 'headers', name];
    if (!HEADER_NAME.test(name)) problems.push({ path: here, at: 'key', message: 'is no valid header name' });
    // RFC 9110, 5.5: a line break would begin another header.
    else if (typeof value === 'string' && /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      problems.push({ path: here, message: 'holds a line break, a control character or one outside Latin-1' });
    }
  }
}

function warnNotStrings(entry: Entry, path: Path, { warnings }: ServerFindings): void {
  for (const key of ['args', 'env', 'headers']) {
    const values = entry[key];
    if (typeof values !== 'object' || values === null) continue;
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== 'number' && typeof value !== 'boolean') continue;
      const at = Array.isArray(values) ? Number(name) : name;
      const message = `a ${typeof value}, taken as text`;
      warnings.push({
        path: [...path, key, at],
        message,
        suggestion: 'put it into quotes, so that it arrives as written',
      });
    }
  }
}
