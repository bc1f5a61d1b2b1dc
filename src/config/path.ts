/** Paths into the configuration, as people read them: `mcpServers.git.args[0]`, `mcpServers["my server"].url`. */
import { stripControl } from '../protocol/text.js';

export type Path = readonly (string | number)[];

const PLAIN = /^[A-Za-z_$][\w$-]*$/;

/** Unambiguous, so that it also serves as a key. Free of control characters. */
export function formatPath(path: Path): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (PLAIN.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${stripControl(JSON.stringify(part))}]`;
  }
  return out;
}

/** The value at `path` inside `value`, `undefined` when there is none. Own properties only. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

/** A copy of `value` with `found` at `path`; what lies on the way is copied, and never made. */
export function withValueAt<T>(value: T, [part, ...rest]: Path, found: unknown): T {
  if (part === undefined) return found as T;
  if (!isRecord(value) || !Object.hasOwn(value, part)) return value;
  return { ...value, [part]: withValueAt(value[part], rest, found) };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
