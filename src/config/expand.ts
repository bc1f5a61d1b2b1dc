/**
 * Variables in strings: `${NAME}`, `${NAME:-default}`, and `${env:NAME}` as VS Code and Cursor write it. `$${` stands
 * for a literal `${`. An empty variable counts as missing for `:-`, as in a shell.
 *
 * Values never appear in a problem; names do. Keys are not expanded.
 */
import { formatPath, isRecord, type Path } from './path.js';
import type { Environment } from './types.js';

export interface ExpansionProblem {
  readonly path: Path;
  readonly message: string;
  readonly suggestion?: string;
}

export interface Expansion {
  readonly value: unknown;
  readonly problems: readonly ExpansionProblem[];
  /** Formatted paths of the strings that held a variable: their values are not shown to anyone. */
  readonly expanded: ReadonlySet<string>;
}

const REFERENCE = /(\$\$\{)|\$\{([^}]*)(\}?)/g;
const NAME = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/s;

/** @param skip paths whose strings are left as they are, with all below them. */
export function expandVariables(value: unknown, env: Environment, skip: (path: Path) => boolean): Expansion {
  const problems: ExpansionProblem[] = [];
  const expanded = new Set<string>();
  const walk = (node: unknown, path: Path): unknown => {
    if (skip(path)) return node;
    if (typeof node === 'string') {
      if (!node.includes('${')) return node;
      expanded.add(formatPath(path));
      return expandString(node, env, (problem) => problems.push({ path, ...problem }));
    }
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (isRecord(node)) return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, walk(v, [...path, k])]));
    return node;
  };
  return { value: walk(value, []), problems, expanded };
}

function expandString(
  text: string,
  env: Environment,
  report: (problem: Omit<ExpansionProblem, 'path'>) => void,
): string {
  return text.replace(REFERENCE, (whole, escaped: string | undefined, inside: string, close: string) => {
    if (escaped !== undefined) return '${';
    const match = NAME.exec(inside);
    if (close === '' || match === null) {
      report(unknownReference(inside, close !== ''));
      return whole;
    }
    const [, name = '', fallback] = match;
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found !== undefined) return found;
    report(missing(name));
    return whole;
  });
}

function missing(name: string): Omit<ExpansionProblem, 'path'> {
  const message = `the environment variable \`${name}\` is not set`;
  if (/^(?:workspaceFolder|workspaceFolderBasename|userHome|pathSeparator)$/.test(name)) {
    return {
      message: `\`\${${name}}\` is known to editors only`,
      suggestion: 'write a path relative to this file, or `${HOME}`',
    };
  }
  return { message, suggestion: `set it, or give a default: \`\${${name}:-…}\`` };
}

function unknownReference(inside: string, closed: boolean): Omit<ExpansionProblem, 'path'> {
  if (!closed) return { message: 'a `${` without `}`', suggestion: 'write `$${` for a literal `${`' };
  if (inside.startsWith('input:')) {
    return {
      message: 'nobody can be asked for `${input:…}` here',
      suggestion: 'set an environment variable and write `${NAME}`',
    };
  }
  return {
    message: 'a `${…}` that is no environment variable',
    suggestion: 'write `${NAME}` or `${NAME:-default}`, and `$${` for a literal `${`',
  };
}
