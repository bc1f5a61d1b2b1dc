/** Progress of a drain: a bar on a terminal, a line for each change elsewhere, JSON lines for scripts. */
import { SingleBar } from 'cli-progress';
import type { DrainSnapshot } from '../admin/protocol.js';
import { drainLine, drainShare } from '../admin/view/drains.js';
import { printLines, type CliIo } from './context.js';
import { plainText } from '../admin/view/line.js';

const STEPS = 1_000;

export class DrainMeter {
  readonly #io: CliIo;
  readonly #json: boolean;
  #bar: SingleBar | null = null;
  #shown = '';

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
    this.#bar?.stop();
    this.#bar = null;
  }

  #draw(snapshot: DrainSnapshot): void {
    const text = plainText(drainLine(snapshot, Date.now()));
    const done = Math.round(drainShare(snapshot) * STEPS);
    if (this.#bar === null) {
      const stream = this.#io.stdout as unknown as NodeJS.WriteStream;
      this.#bar = new SingleBar({
        format: '{bar} {text}',
        barsize: 30,
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
