/**
 * How long a server took to answer, by kind of call: summed up by the data path, taken by the concurrency actor. Plain
 * memory, of a bounded size.
 */

import { clipped, paceOf } from '../machines/gradient.js';
import { type Call } from './call.js';

/** Kinds that are kept apart; the rest is one. */
const MAX_KINDS = 256;

export class AnswerTimes {
  /** Answers since the last look. */
  count = 0;
  /** Their times, milliseconds. */
  sum = 0;
  /** Their paces: see `paceOf`. Those of a kind of which nothing is usual yet are none. */
  paces = 0;
  /** What is usual, milliseconds; 0: not known yet. Written by the concurrency actor. */
  usual = 0;
}

export class AnswerBook {
  readonly #kinds = new Map<string, AnswerTimes>();
  readonly #rest = new AnswerTimes();
  /** Set by the concurrency actor. */
  tolerance = 1;
  /** Something was added since the last look. */
  fresh = false;

  /** `kind`: the tool, or the method. */
  add(kind: string, ms: number): void {
    const times = this.#kinds.get(kind) ?? this.#begin(kind);
    times.count += 1;
    times.sum += clipped(ms, times.usual);
    if (times.usual > 0) times.paces += paceOf(ms, times.usual, this.tolerance);
    this.fresh = true;
  }

  *all(): Iterable<AnswerTimes> {
    yield* this.#kinds.values();
    yield this.#rest;
  }

  #begin(kind: string): AnswerTimes {
    if (this.#kinds.size >= MAX_KINDS) return this.#rest;
    const times = new AnswerTimes();
    this.#kinds.set(kind, times);
    return times;
  }
}

/** How long the upstream took, where nobody but it was waited for. */
export function sampleTime(call: Call, ms: number): void {
  if (call.sentAt === 0 || call.asked || call.round > 0) return;
  const tool = call.tool?.['name'];
  call.gate.answers.add(typeof tool === 'string' ? tool : call.method, ms - (call.sentAt - call.startedAt));
}
