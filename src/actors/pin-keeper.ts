/**
 * Pin keeper: the file of the tool pins. Reads it before the catalogue begins, writes it when the catalogue has pinned.
 *
 * Parent: operations, before the catalogue. Restart: permanent; the book stays in memory, so a restarted one writes it
 * and reads nothing.
 *
 * Invariant: a file that cannot be read is never written over, unless an operator locks the tools anew.
 */
import { type ActorContext, type Behavior, toError } from '../kernel/index.js';
import { readPins, writePins } from '../pinning/lock-file.js';
import { type PinBook } from '../pinning/pin-book.js';
import { type Logger } from '../telemetry/logger.js';
import { type AlgedonicPort } from '../vsm/reading.js';

export type PinKeeperMessage = { readonly type: 'pins/save' } | { readonly type: 'pins/save-again' };

export interface PinKeeperDeps {
  readonly book: PinBook;
  readonly log: Logger;
  readonly algedonic: () => AlgedonicPort;
}

const RETRY_MS = 5_000;

export function pinKeeper(deps: PinKeeperDeps) {
  return async (context: ActorContext<PinKeeperMessage>): Promise<Behavior<PinKeeperMessage>> => {
    const keeper = new PinKeeper(deps, context);
    await keeper.read();
    return keeper;
  };
}

class PinKeeper implements Behavior<PinKeeperMessage> {
  readonly #deps: PinKeeperDeps;
  readonly #context: ActorContext<PinKeeperMessage>;
  #retrying = false;

  constructor(deps: PinKeeperDeps, context: ActorContext<PinKeeperMessage>) {
    this.#deps = deps;
    this.#context = context;
  }

  async read(): Promise<void> {
    const { book, log } = this.#deps;
    const { file } = book;
    if (file === null || book.mode === 'off' || book.pins.size > 0) return;
    try {
      const pins = await readPins(file);
      if (pins) book.load(pins);
    } catch (cause) {
      book.fault = toError(cause).message;
      log.error({ event: 'pins_unreadable', file }, `tools are kept back: ${book.fault}`);
    }
  }

  async handle(message: PinKeeperMessage): Promise<void> {
    if (message.type === 'pins/save-again') this.#retrying = false;
    const { book, log } = this.#deps;
    const { file } = book;
    if (file === null || book.fault !== null) return;
    try {
      await writePins(file, book.pins);
      this.#report(null);
    } catch (cause) {
      const why = toError(cause).message;
      log.error({ event: 'pins_unwritable', file }, why);
      this.#report(why);
      if (!this.#retrying) this.#context.after(RETRY_MS, { type: 'pins/save-again' });
      this.#retrying = true;
    }
  }

  #report(why: string | null): void {
    this.#deps.algedonic().report({
      source: 'tools',
      index: 'pins_unwritable',
      value: why === null ? 0 : 1,
      pain: 0.5,
      agony: 1,
      message: why === null ? 'the pins of the tools are written' : `the pins of the tools cannot be written: ${why}`,
    });
  }
}
