/**
 * Checks a document against the schema and says what is wrong in the words of the person who wrote it.
 *
 * Two passes, so that every mistake is found at once: the schema for the shape, and `check-server.ts` for what the
 * shape cannot say (both `command` and `url`, a URL without a scheme). No message holds a value that may be a secret:
 * only words for closed lists, and only where no variable was expanded.
 */
import type { z } from 'zod';
import { checkPools } from './check-pools.js';
import { checkServers } from './check-server.js';
import { checkToolsets } from './check-toolsets.js';
import { IGNORED_SERVER_KEYS, IGNORED_TOP_LEVEL_KEYS, MISNAMED_KEYS, type IgnoredKey } from './client-keys.js';
import { knownKeys, metaOf, optionPaths, schemaAt } from './introspect.js';
import { formatPath, isRecord, valueAt, type Path } from './path.js';
import type { Finding } from './problems.js';
import { fileSchema, type FileDocument } from './schema.js';
import { inUnit, nearest } from './suggest.js';

export interface Validation {
  /** Set when there are no problems. */
  readonly document?: FileDocument;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** @param expanded formatted paths whose text came from a variable; `"${PORT}"` may stand for a number there. */
export function validateDocument(value: unknown, expanded: ReadonlySet<string>): Validation {
  if (!isRecord(value)) {
    const message = `the file must hold an object, not ${describe(value)}`;
    return { problems: [{ path: [], message, suggestion: 'write `{"mcpServers": {}}`' }], warnings: [] };
  }
  let result = fileSchema.safeParse(value);
  if (!result.success && coerceExpanded(value, result.error.issues, expanded)) result = fileSchema.safeParse(value);

  const { problems, warnings } = checkServers(value);
  problems.push(...checkPools(value));
  warnings.push(...checkToolsets(value));
  const ignored = ignoredKeys(value);
  if (result.success) {
    return {
      ...(problems.length === 0 ? { document: result.data } : {}),
      problems,
      warnings: [...ignored, ...warnings],
    };
  }
  const shape = result.error.issues.flatMap((issue) => explain(issue, value, expanded));
  return { problems: [...shape, ...problems], warnings: [...ignored, ...warnings] };
}

/** Turns expanded text into the number or boolean that is wanted there. Returns whether anything changed. */
function coerceExpanded(root: unknown, issues: readonly z.core.$ZodIssue[], expanded: ReadonlySet<string>): boolean {
  let changed = false;
  for (const issue of issues) {
    const path = pathOf(issue);
    const key = path.at(-1);
    const parent = valueAt(root, path.slice(0, -1));
    const text = valueAt(root, path);
    if (issue.code !== 'invalid_type' || key === undefined || !isRecord(parent) || typeof text !== 'string') continue;
    if (!expanded.has(formatPath(path))) continue;
    if (issue.expected === 'boolean' && /^(?:true|false)$/.test(text)) parent[key] = text === 'true';
    else if (issue.expected === 'number' && /^-?\d+(?:\.\d+)?$/.test(text)) parent[key] = Number(text);
    else continue;
    changed = true;
  }
  return changed;
}

function explain(issue: z.core.$ZodIssue, root: unknown, expanded: ReadonlySet<string>): Finding[] {
  const path = pathOf(issue);
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_type':
      return [wrongType(path, issue.expected, value, expanded)];
    case 'invalid_value':
      return [wrongWord(path, issue.values, value, expanded)];
    case 'too_small':
      if (typeof value === 'string') return [{ path, message: issue.message }];
      return [{ path, message: `must be at least ${issue.minimum}${unitOf(path)}` }];
    case 'too_big':
      if (typeof value === 'string') return [{ path, message: `must be at most ${issue.maximum} characters long` }];
      return [{ path, message: `must be at most ${issue.maximum}${unitOf(path)}` }];
    case 'invalid_key':
      return [{ path, at: 'key', message: issue.issues[0]?.message ?? issue.message }];
    case 'invalid_format':
    case 'invalid_union':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return [{ path, message: issue.message }];
  }
}

function unknownKey(parent: Path, key: string): Finding {
  const path = [...parent, key];
  const meant = MISNAMED_KEYS.get(key);
  const known = knownKeys(fileSchema, parent);
  const finding = { path, message: 'unknown key', at: 'key' as const };
  if (meant !== undefined && known.includes(meant)) return { ...finding, suggestion: `did you mean \`${meant}\`?` };
  // A name that is right, at the wrong place, says more than one that is nearly right here.
  const near = samePlace(parent, key) ?? nearest(key, known);
  if (near !== undefined) return { ...finding, suggestion: `did you mean \`${near}\`?` };
  if (known.length === 0) return finding;
  return { ...finding, suggestion: `known here: ${known.map((name) => `\`${name}\``).join(', ')}` };
}

/** An option of that very name deeper in the same block, or elsewhere in the gateway's: `port` → `gateway.listen.port`. */
function samePlace(parent: Path, key: string): string | undefined {
  const inServer = /^(?:mcpServers|servers)$/.test(String(parent[0])) && parent.length >= 2;
  const base = inServer ? parent.slice(0, 2) : [];
  const schema = schemaAt(fileSchema, base);
  if (schema === undefined) return undefined;
  const paths = optionPaths(schema).filter((path) => path.at(-1) === key && path.length > 1);
  const first = paths[0];
  return first === undefined ? undefined : formatPath(inServer ? first : [...base, ...first]);
}

function wrongType(path: Path, expected: string, value: unknown, expanded: ReadonlySet<string>): Finding {
  const wanted = TYPE_NAMES[expected] ?? expected;
  if (value === undefined) return { path, message: `is missing: ${wanted} is needed` };
  const finding = { path, message: `must be ${wanted}, not ${describe(value)}` };
  if (typeof value !== 'string' || expanded.has(formatPath(path))) return finding;
  if (expected === 'array') return { ...finding, suggestion: 'put it into brackets: `["…"]`' };
  if (expected === 'boolean' && /^(?:true|false)$/i.test(value)) {
    return { ...finding, suggestion: `write ${value.toLowerCase()} without quotes` };
  }
  if (expected !== 'number' && expected !== 'int') return finding;
  if (/^-?\d+$/.test(value)) return { ...finding, suggestion: `write ${value} without quotes` };
  const { unit } = metaOf(schemaAt(fileSchema, path));
  const converted = unit === undefined ? undefined : inUnit(value, unit);
  if (converted === undefined) return { ...finding, suggestion: `write a number${unitOf(path)}, without quotes` };
  return { ...finding, suggestion: `write ${converted}: the unit is ${UNIT_NAMES[unit ?? 'ms']}` };
}

function wrongWord(
  path: Path,
  values: readonly z.core.util.Primitive[],
  value: unknown,
  expanded: ReadonlySet<string>,
): Finding {
  const words = values.map(String);
  const message = `must be one of ${words.map((word) => `\`${word}\``).join(', ')}`;
  if (typeof value !== 'string') return { path, message };
  const near = nearest(value, words);
  const shown = expanded.has(formatPath(path)) || near === undefined ? '' : `, not \`${value}\``;
  return { path, message: message + shown, ...(near === undefined ? {} : { suggestion: `did you mean \`${near}\`?` }) };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const UNIT_NAMES = { ms: 'milliseconds', bytes: 'bytes' } as const;

function unitOf(path: Path): string {
  const { unit } = metaOf(schemaAt(fileSchema, path));
  return unit === undefined ? '' : ` (${UNIT_NAMES[unit]})`;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'number':
      return Number.isInteger(value) ? 'a number' : 'a fraction';
    case 'boolean':
      return value ? '`true`' : '`false`';
    case 'object':
      return 'an object';
    default:
      return 'nothing';
  }
}

function pathOf(issue: z.core.$ZodIssue): (string | number)[] {
  return issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
}

function ignoredKeys(root: Record<string, unknown>): Finding[] {
  const findings = ignoredIn(root, [], IGNORED_TOP_LEVEL_KEYS);
  for (const group of ['mcpServers', 'servers']) {
    const servers = root[group];
    if (!isRecord(servers)) continue;
    for (const [name, entry] of Object.entries(servers)) {
      if (isRecord(entry)) findings.push(...ignoredIn(entry, [group, name], IGNORED_SERVER_KEYS));
    }
  }
  return findings;
}

function ignoredIn(record: Record<string, unknown>, path: Path, keys: readonly IgnoredKey[]): Finding[] {
  return keys
    .filter(({ key }) => Object.hasOwn(record, key))
    .map(({ key, client, hint }) => ({
      path: [...path, key],
      message: `ignored: a setting of ${client}`,
      at: 'key' as const,
      ...(hint === undefined ? {} : { suggestion: hint }),
    }));
}
