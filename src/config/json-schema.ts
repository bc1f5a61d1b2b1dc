/** The schema of the file for editors, made from `schema.ts`. JSON Schema draft 7, the one that editors know best. */
import { z } from 'zod';
import { isRecord } from './path.js';
import { fileSchema } from './schema.js';

/** Meta of ours that means nothing to an editor. */
const PRIVATE = new Set(['unit', 'apply', 'ignored']);
const CONSTRAINTS = ['type', 'enum', 'minimum', 'maximum'] as const;

/** The value of `docs/config.schema.json`. */
export function configJsonSchema(): unknown {
  const generated: unknown = z.toJSONSchema(fileSchema, { target: 'draft-7', io: 'input' });
  return tidy(generated, false);
}

/** @param inUnion the alternatives of a union stay as they are: one of them takes text already */
function tidy(node: unknown, inUnion: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => tidy(item, inUnion));
  if (!isRecord(node)) return node;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (PRIVATE.has(key) || isEmptyDefault(key, value)) continue;
    if (key === 'properties' && isRecord(value)) {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, tidy(schema, false)]));
    } else {
      out[key] = key === 'default' || key === 'enum' ? value : tidy(value, key === 'anyOf');
    }
  }
  return inUnion ? out : allowVariable(out);
}

function isEmptyDefault(key: string, value: unknown): boolean {
  return key === 'default' && isRecord(value) && Object.keys(value).length === 0;
}

/** A number, a switch or a word may also be given as `"${NAME}"`. */
function allowVariable(node: Record<string, unknown>): Record<string, unknown> {
  const { type } = node;
  const isWord = Array.isArray(node['enum']);
  if (!isWord && type !== 'integer' && type !== 'number' && type !== 'boolean') return node;
  const own: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    ((CONSTRAINTS as readonly string[]).includes(key) ? own : rest)[key] = value;
  }
  return { ...rest, anyOf: [own, { type: 'string', pattern: '^\\$\\{[^}]+\\}$' }] };
}
