/** `docs/configuration.md`, made from the schema and the option table, so that it cannot go stale. */
import { z } from 'zod';
import { IGNORED_SERVER_KEYS, IGNORED_TOP_LEVEL_KEYS, type IgnoredKey } from './client-keys.js';
import { metaOf, shapeOf, unwrap } from './introspect.js';
import { PROCESS_OPTIONS } from './options.js';
import { formatPath, isRecord, type Path } from './path.js';
import { gatewaySchema, serverSchema } from './schema.js';

/** The whole page, Markdown, ending in a line break. */
export function renderConfigPage(): string {
  const sections = [
    HEAD,
    serverSection(),
    '## The `gateway` block',
    'Every option has a default; leave out what you do not need. *Live* options of a changed file take effect at once, the others at the next start.',
    ...gatewaySections(),
    NAMES,
    VARIABLES,
    ignoredSection(),
    processSection(),
  ];
  return `${sections.join('\n\n')}\n`;
}

const HEAD = `# Configuration

<!-- Generated from src/config by \`npm run docs\`. Do not edit. -->

One file, JSON (comments and trailing commas are fine) or YAML, given with \`--config FILE\`. The \`mcpServers\` of an MCP client work as they are:

\`\`\`json
{
  "mcpServers": {
    "memory": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-memory"] },
    "docs": { "url": "https://mcp.example.com/mcp", "headers": { "Authorization": "Bearer \${DOCS_TOKEN}" } }
  }
}
\`\`\`

\`node dist/main.js --config FILE --check-config\` explains every mistake with its place and a suggestion. Unknown keys are refused. Times are milliseconds, sizes are bytes, relative paths begin at the folder of the file. A changed file is taken over by difference; a wrong one is refused and the running configuration stays.

Editors check and complete the file with \`"$schema": "…/docs/config.schema.json"\`; see [examples](../examples).`;

const NAMES = `## Names

Clients see tools and prompts as \`<server>__<name>\`, resources under their own URIs. Nothing here can collide, so there is no policy to choose, and no collision keeps a server out:

| what meets | what happens |
|---|---|
| tools or prompts of one name at two servers | both are served, each under its server's prefix |
| two servers that ask for one prefix | whose name or \`viable.prefix\` is exactly that keeps it, the others get a suffix made from their name; adding a server renames nothing else |
| one URI at two servers | the first by prefix keeps it plain, the others have it as \`viable://<prefix>/<URI>\` |
| one name twice in the list of one server | the first counts |

Each is logged once, as are prefixes that look alike. The result depends on the set of servers and their lists alone, not on who came up first.

With \`gateway.catalogue.search\` the gateway adds two tools of its own, \`find_tool\` and \`call_tool\`. A tool of that name at \`/mcp/s/<server>\` is reached through \`call_tool\`.`;

const VARIABLES = `## Variables

| in a string | becomes |
|---|---|
| \`\${NAME}\`, \`\${env:NAME}\` | the environment variable; it is a mistake when it is not set |
| \`\${NAME:-text}\` | the variable, or \`text\` when it is not set or empty |
| \`$\${\` | a literal \`\${\` |

A variable may stand for a number or a switch, too: \`"port": "\${PORT:-4000}"\`. Keys are not expanded. Values never appear in messages.`;

function serverSection(): string {
  const intro =
    'Under `mcpServers` (or `servers`, as VS Code calls it), name → entry. Give `command` for a program or `url` for a running server.';
  const rows = optionRows(serverSchema, []);
  return ['## A server', intro, table(['key', 'default', 'meaning'], rows)].join('\n\n');
}

function gatewaySections(): string[] {
  return Object.entries(shapeOf(gatewaySchema)).map(([name, schema]) => {
    const description = descriptionOf(schema);
    const inner = unwrap(schema);
    const named = inner instanceof z.ZodRecord;
    const rows = optionRows(named ? inner.def.valueType : schema, [], (field) => [metaOf(field).apply ?? 'restart']);
    const title = `### \`gateway.${name}${named ? '.<name>' : ''}\``;
    return [title, description, table(['key', 'default', 'meaning', 'change'], rows)].join('\n\n');
  });
}

/** One row an option: dotted key, default, meaning with unit and range, what `more` adds. Blocks are walked into. */
function optionRows(
  schema: z.core.$ZodType,
  prefix: Path,
  more: (field: z.core.$ZodType) => string[] = () => [],
): string[][] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(shapeOf(inner)).flatMap(([key, field]) => {
    if (metaOf(field).ignored === true) return [];
    const path = [...prefix, key];
    if (unwrap(field) instanceof z.ZodObject) return optionRows(field, path, more);
    return [[`\`${formatPath(path)}\``, defaultOf(field), `${descriptionOf(field)}${rangeOf(field)}`, ...more(field)]];
  });
}

function descriptionOf(schema: z.core.$ZodType): string {
  const meta: unknown = { ...z.globalRegistry.get(unwrap(schema)), ...z.globalRegistry.get(schema) };
  const own = isRecord(meta) ? meta['description'] : undefined;
  if (typeof own === 'string') return own;
  // Between the outermost wrapper and the innermost schema.
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? descriptionOf(schema.def.innerType) : '';
}

function defaultOf(schema: z.core.$ZodType): string {
  const json: unknown = z.toJSONSchema(schema, { io: 'input' });
  const value = isRecord(json) ? json['default'] : undefined;
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}

function rangeOf(schema: z.core.$ZodType): string {
  const json: unknown = z.toJSONSchema(unwrap(schema), { io: 'input' });
  if (!isRecord(json)) return '';
  if (Array.isArray(json['enum'])) return ` One of ${json['enum'].map((word) => `\`${String(word)}\``).join(', ')}.`;
  if (json['type'] !== 'integer') return '';
  const { unit } = metaOf(schema);
  const range = `${String(json['minimum'])} to ${String(json['maximum'])}`;
  return unit === undefined ? ` (${range})` : ` (${unit}, ${range})`;
}

function ignoredSection(): string {
  const intro =
    'MCP clients keep settings of their own in the same file. These are accepted, ignored, and named in a warning.';
  const row =
    (where: string) =>
    ({ key, client, hint = '' }: IgnoredKey): string[] => [`\`${key}\``, where, client, hint];
  const rows = [...IGNORED_SERVER_KEYS.map(row('a server')), ...IGNORED_TOP_LEVEL_KEYS.map(row('the file'))];
  return ['## Settings of clients', intro, table(['key', 'in', 'of', 'for the same effect'], rows)].join('\n\n');
}

function processSection(): string {
  const rows = Object.values(PROCESS_OPTIONS).map(({ flag, value, env, description, fallback }) => [
    `\`${value === undefined ? flag : `${flag} ${value}`}\``,
    `\`${env}\``,
    description,
    fallback,
  ]);
  const intro = 'A flag wins over its variable, and both win over the file.';
  return ['## Command line', intro, table(['flag', 'variable', 'meaning', 'without it'], rows)].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
