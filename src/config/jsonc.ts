/**
 * Reads JSON with what editors leave in it: line and block comments, trailing commas, a byte-order mark (RFC 8259
 * plus the JSONC of VS Code). Stops at the first syntax error and says what was expected there; duplicate keys are
 * all reported, because the last one silently winning hides a server.
 *
 * Nesting is bounded, so no text overflows the stack; `__proto__` is refused as a key.
 */
import { type Path } from './path.js';
import { Positions, type SourceDocument, type SourceError } from './positions.js';

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsoncSyntaxError extends Error {
  constructor(
    readonly offset: number,
    message: string,
    readonly suggestion?: string,
  ) {
    super(message);
  }
}

export function readJsonc(text: string): SourceDocument {
  const reader = new JsoncReader(text);
  try {
    return { value: reader.document(), positions: reader.positions, errors: reader.errors };
  } catch (error) {
    if (!(error instanceof JsoncSyntaxError)) throw error;
    const { offset, message, suggestion } = error;
    reader.errors.push({ offset, message, ...(suggestion === undefined ? {} : { suggestion }) });
    return { value: undefined, positions: reader.positions, errors: reader.errors };
  }
}

class JsoncReader {
  readonly positions = new Positions();
  readonly errors: SourceError[] = [];
  #at = 0;

  constructor(private readonly text: string) {}

  document(): unknown {
    if (this.text.startsWith('\ufeff')) this.#at = 1;
    this.#skip();
    if (this.#at >= this.text.length) throw new JsoncSyntaxError(0, 'the file is empty', 'write `{"mcpServers": {}}`');
    const value = this.#value([], undefined);
    this.#skip();
    if (this.#at < this.text.length) {
      throw new JsoncSyntaxError(this.#at, 'the file goes on after its end', 'check for a `}` too many before this');
    }
    return value;
  }

  #value(path: Path, key: number | undefined): unknown {
    const start = this.#at;
    this.positions.set(path, start, key);
    if (path.length > MAX_DEPTH) throw new JsoncSyntaxError(start, `nested more than ${MAX_DEPTH} levels deep`);
    switch (this.text[start]) {
      case '{':
        return this.#object(path);
      case '[':
        return this.#array(path);
      case '"':
        return this.#string();
      default:
        return this.#literal();
    }
  }

  #object(path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const open = this.#at++;
    for (;;) {
      this.#skip();
      if (this.#take('}')) return result;
      const keyAt = this.#at;
      const key = this.#key(open);
      const here = [...path, key];
      if (key === '__proto__') throw new JsoncSyntaxError(keyAt, '`__proto__` cannot be a key');
      if (Object.hasOwn(result, key)) {
        this.errors.push({ offset: keyAt, path: here, message: 'the key is there twice', suggestion: 'remove one' });
      }
      this.#skip();
      if (!this.#take(':')) throw new JsoncSyntaxError(this.#at, 'expected `:` after the key');
      this.#skip();
      result[key] = this.#value(here, keyAt);
      if (!this.#comma('}', open)) return result;
    }
  }

  #array(path: Path): unknown[] {
    const result: unknown[] = [];
    const open = this.#at++;
    for (;;) {
      this.#skip();
      if (this.#take(']')) return result;
      result.push(this.#value([...path, result.length], undefined));
      if (!this.#comma(']', open)) return result;
    }
  }

  /** After an entry: `true` when another may follow, `false` when `close` ended the list. */
  #comma(close: '}' | ']', open: number): boolean {
    const end = this.#at;
    this.#skip();
    if (this.#take(',')) return true;
    if (this.#take(close)) return false;
    if (this.#at >= this.text.length) throw this.#unclosed(open);
    // Shown where the comma belongs: right after the entry, not at the start of the next line.
    throw new JsoncSyntaxError(end, `expected \`,\` or \`${close}\` after this entry`);
  }

  #key(open: number): string {
    if (this.#at >= this.text.length) throw this.#unclosed(open);
    if (this.text[this.#at] === '"') return this.#string();
    if (this.text[this.#at] === ',') throw new JsoncSyntaxError(this.#at, 'a `,` too many');
    throw new JsoncSyntaxError(this.#at, 'expected a key in double quotes');
  }

  #string(): string {
    const start = this.#at++;
    let out = '';
    for (;;) {
      const char = this.text[this.#at];
      if (char === undefined || char === '\n' || char === '\r') {
        throw new JsoncSyntaxError(start, 'the string has no closing `"` on its line');
      }
      this.#at++;
      if (char === '"') return out;
      if (char === '\\') out += this.#escape();
      else if (char < ' ' && char !== '\t') throw new JsoncSyntaxError(this.#at - 1, 'a control character in a string');
      else out += char;
    }
  }

  #escape(): string {
    const at = this.#at - 1;
    const char = this.text[this.#at++] ?? '';
    const simple = ESCAPES[char];
    if (simple !== undefined) return simple;
    const hex = this.text.slice(this.#at, this.#at + 4);
    if (char === 'u' && /^[0-9a-f]{4}$/i.test(hex)) {
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    throw new JsoncSyntaxError(at, 'not a known escape', 'write a backslash as `\\\\`, as in `"C:\\\\tools"`');
  }

  #literal(): unknown {
    const start = this.#at;
    const word = this.#match(WORD);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    this.#at = start;
    const number = this.#match(NUMBER);
    if (number !== '' && number === word) return Number(number);
    if (start >= this.text.length) throw new JsoncSyntaxError(start, 'the file ends where a value was expected');
    const hint = this.text[start] === "'" || word !== '' ? 'put text into double quotes' : undefined;
    throw new JsoncSyntaxError(start, 'expected a value', hint);
  }

  /** Skips white space and comments. */
  #skip(): void {
    for (;;) {
      this.#match(/[ \t\r\n]*/y);
      if (this.text.startsWith('//', this.#at)) {
        this.#match(/[^\n]*/y);
      } else if (this.text.startsWith('/*', this.#at)) {
        const end = this.text.indexOf('*/', this.#at + 2);
        if (end < 0) throw new JsoncSyntaxError(this.#at, 'the comment has no closing `*/`');
        this.#at = end + 2;
      } else {
        return;
      }
    }
  }

  #take(char: string): boolean {
    if (this.text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** What the sticky pattern matches here, and moves past it. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #unclosed(open: number): JsoncSyntaxError {
    const bracket = this.text[open] ?? '';
    return new JsoncSyntaxError(open, `this \`${bracket}\` is never closed`);
  }
}
