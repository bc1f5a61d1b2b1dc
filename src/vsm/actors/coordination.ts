/**
 * S2, coordination: keeps the arithmetic of turns and penalties tidy, and says when it damps.
 *
 * Parent: viability. Restart: permanent. Whoever has to wait for its turn reads S2's memory itself and never waits for this
 * actor; without it turns are still given out.
 */
import { type DataPlane } from '../../actors/data-plane.js';
import { type ActorContext, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { coordinationRules, type CoordinationStatus } from '../coordination-model.js';
import { type CoordinationMessage } from './messages.js';

export interface CoordinationDeps {
  readonly plane: DataPlane;
  readonly log: Logger;
}

const TICK_MS = 1_000;

export function coordination(deps: CoordinationDeps) {
  return (context: ActorContext<CoordinationMessage>): Behavior<CoordinationMessage> =>
    new CoordinationActor(deps, context);
}

class CoordinationActor implements Behavior<CoordinationMessage> {
  readonly #deps: CoordinationDeps;
  readonly #context: ActorContext<CoordinationMessage>;
  #status: CoordinationStatus = 'idle';

  constructor(deps: CoordinationDeps, context: ActorContext<CoordinationMessage>) {
    this.#deps = deps;
    this.#context = context;
    context.after(TICK_MS, { type: 'coordination/tick' });
  }

  handle(): void {
    const { plane, log } = this.#deps;
    const now = this.#context.clock.now();
    const rules = coordinationRules(plane.options.vsm);
    plane.viability.coordination.tidy(now, rules);
    const { status, maxPenalty } = plane.viability.coordination.status(now);
    if (status !== this.#status) log.info({ event: 'coordination', status, maxPenalty }, `S2 is ${status}`);
    this.#status = status;
    this.#context.after(TICK_MS, { type: 'coordination/tick' });
  }
}
