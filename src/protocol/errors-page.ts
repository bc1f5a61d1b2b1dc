/** Renders the error catalogue as a Markdown page. Pure; the same catalogue gives the same bytes. */
import { type AdminErrorEntry, type ErrorEntry } from './error-entry.js';

const ORIGINS: Readonly<Record<ErrorEntry['origin'], string>> = {
  'json-rpc': 'JSON-RPC 2.0',
  mcp: 'MCP',
  sdk: 'MCP SDKs',
  gateway: 'Viable',
};

export function renderCatalogue(
  errors: Readonly<Record<string, ErrorEntry>>,
  adminErrors: Readonly<Record<string, AdminErrorEntry>>,
): string {
  return [
    '# Errors',
    '',
    'Every error that the gateway itself reports. `error.data.reason` carries the name, which is stable; several names',
    'share a code where the specification gives them one. Errors of upstream servers pass through as they are.',
    '',
    'The HTTP status applies where the error is the whole HTTP answer; 200 means that it answers a request inside a',
    'session, or in a stream. "Retry" says that the same request may be sent again later without harm. Where a client of',
    'MCP 2026-07-28 gets another code or status, it stands after "modern".',
    '',
    '| name | code | from | HTTP | retry |',
    '|---|---|---|---|---|',
    ...Object.entries(errors).map(summary),
    '',
    ...Object.entries(errors).flatMap(section),
    '## Admin errors',
    '',
    'What `viable` and other consoles read in `error.code` on the admin socket.',
    '',
    '| code | meaning | what to do |',
    '|---|---|---|',
    ...Object.entries(adminErrors).map(([name, { meaning, remedy }]) => `| \`${name}\` | ${meaning} | ${remedy} |`),
    '',
  ].join('\n');
}

function summary([name, entry]: [string, ErrorEntry]): string {
  const retry = entry.retryable ? 'yes' : 'no';
  const code = either(entry.code, entry.modern?.code);
  const status = either(entry.httpStatus, entry.modern?.httpStatus);
  return `| [\`${name}\`](#${name}) | ${code} | ${ORIGINS[entry.origin]} | ${status} | ${retry} |`;
}

function either(legacy: number, modern: number | undefined): string {
  return modern === undefined ? String(legacy) : `${legacy}, modern ${modern}`;
}

function section([name, entry]: [string, ErrorEntry]): string[] {
  const data = Object.entries(entry.data ?? {}).map(([member, what]) => `- \`data.${member}\`: ${what}`);
  return [
    `## ${name}`,
    '',
    `\`${either(entry.code, entry.modern?.code)}\` “${entry.message}”`,
    '',
    entry.meaning,
    '',
    `**What to do:** ${entry.remedy}`,
    '',
    ...(data.length === 0 ? [] : [...data, '']),
  ];
}
