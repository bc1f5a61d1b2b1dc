/** Progress of a drain: a bar on a terminal, a line for each change elsewhere, JSON lines for scripts. */
import { SingleBar } from 'cli-progress';
import type { DrainSnapshot } from '../admin/protocol.js';
import { drainLine, drainShare } from '../admin/view/drains.js';
import { printLines, type CliIo } from './context.js';
import { lineWidth, plainText } from '../admin/view/line.js';

const STEPS = 1_000;
const MIN_BAR = 6;
const MAX_BAR = 30;

export class DrainMeter {
  readonly #io: CliIo;
  readonly #json: boolean;
  #bar: SingleBar | null = null;
  #shown = '';
  /** The line as the bar stands before it, for an end that the bar had to cut. */
  #last: DrainSnapshot | null = null;

  constructor(io: CliIo, json: boolean) {
    this.#io = io;
    this.#json = json;
  }

  show(snapshot: DrainSnapshot): void {
    if (this.#json) {
      this.#io.stdout.write(`${JSON.stringify(snapshot)}\n`);
      return;
    }
    if (this.#io.stdout.isTTY === true) this.#draw(snapshot);
    else this.#say(snapshot);
  }

  stop(): void {
    if (this.#bar === null) return;
    this.#bar.stop();
    this.#bar = null;
    if (this.#last === null) return;
    const text = drainLine(this.#last, Date.now());
    if (this.#barSize + 1 + lineWidth(text) >= this.#columns) printLines(this.#io, [text]);
  }

  get #columns(): number {
    return this.#io.stdout.columns ?? 80;
  }

  /** Words go before the bar where there is little room. */
  get #barSize(): number {
    return Math.max(MIN_BAR, Math.min(MAX_BAR, this.#columns - 50));
  }

  #draw(snapshot: DrainSnapshot): void {
    this.#last = snapshot;
    const text = plainText(drainLine(snapshot, Date.now()));
    const done = Math.round(drainShare(snapshot) * STEPS);
    if (this.#bar === null) {
      const stream = this.#io.stdout as unknown as NodeJS.WriteStream;
      this.#bar = new SingleBar({
        format: '{bar} {text}',
        barsize: this.#barSize,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: true,
        stream,
      });
      this.#bar.start(STEPS, done, { text });
    }
    this.#bar.update(done, { text });
  }

  /** Not every figure of a busy drain: a line when the state changes, and when a tenth more is done. */
  #say(snapshot: DrainSnapshot): void {
    const key = `${snapshot.state} ${snapshot.outcome ?? ''} ${Math.floor(drainShare(snapshot) * 10)} ${snapshot.stalled}`;
    if (key === this.#shown) return;
    this.#shown = key;
    printLines(this.#io, [drainLine(snapshot, Date.now())]);
  }
}
