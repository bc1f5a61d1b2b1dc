/**
 * S1 unit: one upstream or one client transport, as it accounts for itself.
 *
 * Parent: units (dynamic). Restart: permanent. Its autonomy is in the data path (deadlines, retries, breaker, pool, which
 * ask nobody); this actor closes its books every cycle and reports to S3, S3* and S4. Without it they know nothing of it.
 */
import { AUDIT, CONTROL, INTELLIGENCE } from '../../actors/names.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { cycle, look, type UnitLedger, type UnitLook, type UnitState } from '../unit-model.js';
import { type UnitMessage } from './messages.js';

/** Where a unit's books are. */
export interface UnitSource {
  readonly unit: string;
  readonly ledger: UnitLedger;
  readonly state: () => Omit<UnitState, 'unit'>;
}

export interface UnitDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly source: UnitSource;
}

export function unit(deps: UnitDeps) {
  return (context: ActorContext<UnitMessage>): Behavior<UnitMessage> => new Unit(deps, context);
}

class Unit implements Behavior<UnitMessage> {
  readonly #deps: UnitDeps;
  readonly #context: ActorContext<UnitMessage>;
  #last: UnitLook;

  constructor(deps: UnitDeps, context: ActorContext<UnitMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#last = look(deps.source.ledger, context.clock.now());
    this.#again();
  }

  handle(): void {
    const { system, source, plane } = this.#deps;
    const before = this.#last;
    this.#last = look(source.ledger, this.#context.clock.now());
    const report = cycle(before, this.#last, { unit: source.unit, ...source.state() });
    plane.viability.cycles.set(source.unit, report);
    system.whereis(INTELLIGENCE)?.tell({ type: 'intelligence/observed', cycle: report });
    system.whereis(CONTROL)?.tell({ type: 'control/reported', cycle: report });
    system.whereis(AUDIT)?.tell({ type: 'audit/reported', cycle: report });
    this.#again();
  }

  terminate(): void {
    this.#deps.plane.viability.cycles.delete(this.#deps.source.unit);
  }

  #again(): void {
    this.#context.after(this.#deps.plane.options.vsm.control.interval, { type: 'unit/cycle' });
  }
}
