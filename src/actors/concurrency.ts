/**
 * Concurrency: sets how many calls one upstream gets at a time, by how quickly it answers.
 *
 * Parent: upstream:<name>, after the breaker. Restart: permanent. The limit is on the gate, where the data path reads it, and
 * so are the times that it is made of: a restarted one goes on with them, and while none lives the last limit holds.
 *
 * Invariant: min ≤ limit ≤ maxInFlight. The formulas are `src/machines/gradient.ts`.
 */
import { type ServerConfig } from '../config/types.js';
import { type ActorContext, type Behavior } from '../kernel/index.js';
import { gradientOf, type GradientRules, nextLimit, usual } from '../machines/gradient.js';
import { type UpstreamGate } from './upstream-gate.js';

export type ConcurrencyMessage = { readonly type: 'concurrency/look' };

export interface ConcurrencyDeps {
  readonly gate: UpstreamGate;
  /** As configured now. */
  readonly config: () => ServerConfig;
}

export function concurrency(deps: ConcurrencyDeps) {
  return (context: ActorContext<ConcurrencyMessage>): Behavior<ConcurrencyMessage> => new Concurrency(deps, context);
}

class Concurrency implements Behavior<ConcurrencyMessage> {
  readonly #deps: ConcurrencyDeps;
  readonly #context: ActorContext<ConcurrencyMessage>;
  #lookedAt: number;

  constructor(deps: ConcurrencyDeps, context: ActorContext<ConcurrencyMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#lookedAt = context.clock.now();
    deps.gate.answers.tolerance = deps.config().concurrency.tolerance;
    this.#again();
  }

  handle(): void {
    const { gate, config } = this.#deps;
    const { maxInFlight, concurrency: rules } = config();
    const now = this.#context.clock.now();
    if (!rules.adaptive) gate.limit = maxInFlight;
    else if (gate.answers.fresh) this.#look({ ...rules, min: Math.min(rules.min, maxInFlight), max: maxInFlight }, now);
    this.#lookedAt = now;
    gate.peak = gate.inFlight;
    this.#again();
  }

  #look(rules: GradientRules, now: number): void {
    const { gate } = this.#deps;
    let answers = 0;
    let paces = 0;
    gate.answers.fresh = false;
    gate.answers.tolerance = rules.tolerance;
    for (const times of gate.answers.all()) {
      if (times.count === 0) continue;
      if (times.usual > 0) {
        answers += times.count;
        paces += times.paces;
      }
      times.usual = usual(times.usual, times.sum / times.count, now - this.#lookedAt, rules);
      times.count = 0;
      times.sum = 0;
      times.paces = 0;
    }
    gate.gradient = gradientOf(answers, paces, rules);
    const limit = Math.min(gate.limit, rules.max);
    gate.limit =
      gate.gradient === null ? Math.max(limit, rules.min) : nextLimit(limit, gate.gradient, gate.peak, rules);
  }

  #again(): void {
    this.#context.after(this.#deps.config().concurrency.interval, { type: 'concurrency/look' });
  }
}
