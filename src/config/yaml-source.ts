/**
 * Reads YAML 1.2 (merge keys allowed) through the `yaml` package. Messages are our own, by error code: the package's
 * quote the text, which may hold a secret. Aliases are bounded against billion-laughs files.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type ErrorCode,
  type YAMLError,
} from 'yaml';
import type { Path } from './path.js';
import { Positions, type SourceDocument, type SourceError } from './positions.js';

const MAX_ALIASES = 100;
const MAX_DEPTH = 64;
const TOO_DEEP = 'nested too deep';
/** The package builds a pattern as long as the indentation; of some thousand columns it takes the process down. */
const DEEP_INDENT = /^[ \t?:-]{1000}/m;

const MESSAGES: Readonly<Partial<Record<ErrorCode, readonly [message: string, suggestion?: string]>>> = {
  BAD_INDENT: ['the indentation does not fit the lines above', 'entries of one block start in the same column'],
  TAB_AS_INDENT: ['a tab in the indentation', 'indent with spaces'],
  DUPLICATE_KEY: ['the key is there twice', 'remove one'],
  MISSING_CHAR: ['a closing bracket, quote or `:` is missing here'],
  BLOCK_AS_IMPLICIT_KEY: ['two `key: value` pairs on one line', 'put text that holds `: ` into quotes'],
  MULTILINE_IMPLICIT_KEY: ['a key without `:`', 'write `key: value`'],
  UNEXPECTED_TOKEN: ['unexpected text'],
  BAD_DQ_ESCAPE: ['not a known escape', 'write a backslash as `\\\\`, or use single quotes'],
  BAD_SCALAR_START: ['plain text cannot start with this character', 'put it into quotes'],
  RESOURCE_EXHAUSTION: [TOO_DEEP],
  MULTIPLE_DOCS: ['more than one document in the file', 'remove the `---` line and what follows'],
};

const UNKNOWN_ALIAS = {
  message: 'the alias is not known',
  suggestion: 'define it with `&name` above, or put the text into quotes',
};

export function readYaml(text: string): SourceDocument {
  const positions = new Positions();
  const deep = DEEP_INDENT.exec(text);
  if (deep !== null) return { value: undefined, positions, errors: [{ offset: deep.index, message: TOO_DEEP }] };
  try {
    const document = parseDocument(text, { prettyErrors: false, merge: true });
    const errors = syntaxErrors(document.errors, text);
    visit(document, {
      Alias: (_key, alias) => {
        if (alias.resolve(document) === undefined) errors.push({ offset: alias.range?.[0] ?? 0, ...UNKNOWN_ALIAS });
      },
    });
    if (errors.length > 0) return { value: undefined, positions, errors };
    if (document.contents === null) {
      return { value: undefined, positions, errors: [{ offset: 0, message: 'the file is empty' }] };
    }
    // First of all: it bounds the aliases, and with them the walk that follows them.
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    record(document, document.contents, [], undefined, positions, errors);
    return { value, positions, errors };
  } catch (error) {
    return { value: undefined, positions, errors: [{ offset: 0, ...unreadable(error) }] };
  }
}

/** What the package throws, in place of reporting it. */
function unreadable(error: unknown): { message: string; suggestion?: string } {
  if (error instanceof ReferenceError) return { message: 'too many aliases' };
  if (error instanceof RangeError) return { message: TOO_DEEP };
  return { message: 'not valid YAML', suggestion: 'a merge key `<<` needs a map or an alias of one' };
}

/** Duplicate keys are independent of each other; of all else the first counts, what follows it is its echo. */
function syntaxErrors(found: readonly Pick<YAMLError, 'code' | 'pos'>[], text: string): SourceError[] {
  const first = found.find((error) => error.code !== 'DUPLICATE_KEY');
  return found
    .filter((error) => error === first || error.code === 'DUPLICATE_KEY')
    .map((error) => {
      const offset = error.pos[0];
      const [message, general] = MESSAGES[error.code] ?? [`not valid YAML (${error.code})`];
      const isVariable = error === first && text.slice(Math.max(0, offset - 3), offset + 2).includes('${');
      const suggestion = isVariable ? 'put `${…}` into quotes' : general;
      return { offset, message, ...(suggestion === undefined ? {} : { suggestion }) };
    });
}

function record(
  document: Document,
  node: unknown,
  path: Path,
  key: number | undefined,
  positions: Positions,
  errors: SourceError[],
): void {
  const start = startOf(node);
  if (start !== undefined) positions.set(path, start, key);
  const target = isAlias(node) ? node.resolve(document) : node;
  if (path.length > MAX_DEPTH) throw new RangeError(TOO_DEEP);
  if (isMap(target)) {
    for (const pair of target.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : undefined;
      const keyAt = startOf(pair.key);
      if (name === '__proto__') errors.push({ offset: keyAt ?? 0, message: '`__proto__` cannot be a key' });
      if (name !== undefined) record(document, pair.value, [...path, name], keyAt, positions, errors);
    }
  } else if (isSeq(target)) {
    target.items.forEach((item, index) => {
      record(document, item, [...path, index], undefined, positions, errors);
    });
  }
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}
