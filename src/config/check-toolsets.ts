/**
 * What the schema cannot say about toolsets: patterns that can match nothing. Works on the raw document, like
 * `check-server.ts`.
 */
import { NAME_SEPARATOR } from '../protocol/naming.js';
import { isRecord, valueAt } from './path.js';
import type { Finding } from './problems.js';

/** Warnings. */
export function checkToolsets(root: Readonly<Record<string, unknown>>): Finding[] {
  const toolsets = valueAt(root, ['gateway', 'toolsets']);
  if (!isRecord(toolsets)) return [];
  return Object.entries(toolsets).flatMap(([name, toolset]) =>
    ['tools', 'prompts'].flatMap((kind): Finding[] => {
      const patterns = valueAt(toolset, [kind]);
      if (!Array.isArray(patterns)) return [];
      return patterns.flatMap((pattern: unknown, at): Finding[] => {
        if (typeof pattern !== 'string' || pattern === '' || /[*?]/.test(pattern)) return [];
        if (pattern.indexOf(NAME_SEPARATOR) > 0) return [];
        const what = kind.slice(0, -1);
        return [
          {
            path: ['gateway', 'toolsets', name, kind, at],
            message: `matches no ${what}: names here are \`<server>__<${what}>\``,
            suggestion: `write \`<server>__${what}\`, or \`*__${what}\` for that ${what} of every server`,
          },
        ];
      });
    }),
  );
}
