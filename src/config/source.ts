/**
 * The text of a configuration file: what it says, and where it says it.
 *
 * A reader (`jsonc.ts`, `yaml-source.ts`) turns text into a plain value and records the offset of every key and value
 * under its formatted path, so that a mistake found much later can still be shown at its line and column.
 */
import { stripControl } from '../protocol/text.js';
import { readJsonc } from './jsonc.js';
import { formatPath } from './path.js';
import type { SourceDocument, SourceError } from './positions.js';
import type { ConfigProblem } from './types.js';
import { readYaml } from './yaml-source.js';

export type SourceFormat = 'json' | 'yaml';

/** By the name's ending; for any other name by the first character that is not white space. */
export function formatOf(file: string, text: string): SourceFormat {
  if (/\.ya?ml$/i.test(file)) return 'yaml';
  if (/\.json[c5]?$/i.test(file)) return 'json';
  return /^\s*(?:\{|\/[/*])/.test(text) ? 'json' : 'yaml';
}

export function readSource(text: string, format: SourceFormat): SourceDocument {
  return format === 'json' ? readJsonc(text) : readYaml(text);
}

/** 1-based line and column (in UTF-16 units) of an offset. */
export function lineColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

export function sourceProblem(text: string, error: SourceError): ConfigProblem {
  const { line, column } = lineColumn(text, error.offset);
  return {
    path: formatPath(error.path ?? []),
    message: error.message,
    ...(error.suggestion === undefined ? {} : { suggestion: error.suggestion }),
    line,
    column,
    excerpt: excerpt(text, line, column),
  };
}

const EXCERPT_WIDTH = 100;
const TOKEN = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s{}[\],:"'#]+/g;

/** The line with a caret under the column. Keys and punctuation stay; every value is blanked: it may be a secret. */
function excerpt(text: string, line: number, column: number): string {
  const raw = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '');
  const masked = maskValues(raw);
  const start = Math.max(0, Math.min(column - 1 - EXCERPT_WIDTH / 2, masked.length - EXCERPT_WIDTH));
  const shown = stripControl(masked.slice(start, start + EXCERPT_WIDTH).replace(/\t/g, ' '));
  return `${shown}\n${' '.repeat(Math.max(0, column - 1 - start))}^`;
}

function maskValues(line: string): string {
  return line.replace(TOKEN, (token, at: number) => {
    const before = line.slice(0, at).trimEnd();
    const startsEntry = before === '' || /[{,-]$/.test(before);
    const isKey = startsEntry && /^\s*:(?:\s|$|["'{[])/.test(line.slice(at + token.length));
    if (isKey || /^(?:true|false|null|\/\/|[-|>&*]+)$/.test(token)) return token;
    const quote = /^["']/.exec(token)?.[0] ?? '';
    const closed = quote !== '' && token.length > 1 && token.endsWith(quote) ? quote : '';
    return quote + '*'.repeat(token.length - quote.length - closed.length) + closed;
  });
}
