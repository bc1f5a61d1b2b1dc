/**
 * A terminal without a terminal: streams for a program on one side, an @xterm/headless screen to look at on the other.
 *
 * Emoji are two cells wide, as in the terminals of today (headless xterm has the tables of Unicode 6). Tests wait for
 * what they want to see, never for time.
 */
import { PassThrough, Writable } from 'node:stream';
import xterm, { type Terminal } from '@xterm/headless';
import { characterWidth } from '#src/admin/view/text.js';
import { screenText } from './screen-svg.js';

export class FakeTerminal {
  readonly input: PassThrough & { isTTY?: boolean };
  readonly output: FakeOutput;
  readonly screen: Terminal;

  constructor(columns: number, rows: number) {
    this.screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
    this.screen.unicode.register(widths);
    this.screen.unicode.activeVersion = widths.version;
    this.input = Object.assign(new PassThrough(), { isTTY: true });
    this.output = new FakeOutput(this.screen, columns, rows);
  }

  get text(): string {
    return screenText(this.screen);
  }

  get lines(): readonly string[] {
    return this.text.split('\n');
  }

  type(keys: string): void {
    this.input.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.output.columns = columns;
    this.output.rows = rows;
    this.output.emit('resize');
  }

  /** Resolves when the screen shows `expected`. Rejects with the screen as it is when `signal` aborts. */
  async shows(expected: string | RegExp, signal: AbortSignal = AbortSignal.timeout(8_000)): Promise<string> {
    const found = (): boolean => {
      return typeof expected === 'string' ? this.text.includes(expected) : expected.test(this.text);
    };
    while (!found())
      await this.output.parsed(signal, () => `The screen never showed ${String(expected)}:\n${this.text}`);
    return this.text;
  }
}

/** What the program writes to: a TTY in its eyes. */
class FakeOutput extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** All that was written. */
  written = '';
  readonly #screen: Terminal;

  constructor(screen: Terminal, columns: number, rows: number) {
    super({ decodeStrings: false });
    this.#screen = screen;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    const text = typeof chunk === 'string' ? chunk : chunk.toString('utf8');
    this.written += text;
    this.#screen.write(text, () => {
      this.emit('parsed');
      done();
    });
  }

  /** Resolves after the next write has reached the screen. */
  parsed(signal: AbortSignal, explain: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.off('parsed', succeed);
        reject(new Error(explain()));
      };
      const succeed = (): void => {
        signal.removeEventListener('abort', fail);
        resolve();
      };
      if (signal.aborted) {
        fail();
        return;
      }
      this.once('parsed', succeed);
      signal.addEventListener('abort', fail, { once: true });
    });
  }
}

const widths = {
  version: 'today',
  wcwidth: (point: number): 0 | 1 | 2 => (point < 32 ? 0 : characterWidth(String.fromCodePoint(point))),
  charProperties(point: number): number {
    // xterm packs (state, width, shouldJoin); characters that join others never reach the screen.
    return this.wcwidth(point) << 1;
  },
};
