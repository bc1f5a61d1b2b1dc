/**
 * Census: sees to it that every upstream and every client transport is a unit, and moves the window of the operations'
 * account on.
 *
 * Parent: operations. Restart: permanent; the units are found again.
 */
import { type RequestTransport } from '../../admin/protocol.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { UNITS, upstreamId } from '../../actors/names.js';
import { type UpstreamGate } from '../../actors/upstream-gate.js';
import { actor, type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { SLOT_MS } from '../operations-model.js';
import { type UnitState } from '../unit-model.js';
import { type CensusMessage, type UnitMessage } from './messages.js';
import { unit, type UnitSource } from './unit.js';

export interface CensusDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  /** What an upstream says of itself. */
  readonly facts: (name: string) => Pick<UnitState, 'version' | 'toolsHash'>;
}

const TICK_MS = 1_000;

export function census(deps: CensusDeps) {
  return (context: ActorContext<CensusMessage>): Behavior<CensusMessage> => new Census(deps, context);
}

class Census implements Behavior<CensusMessage> {
  readonly #deps: CensusDeps;
  readonly #context: ActorContext<CensusMessage>;
  #moved: number;

  constructor(deps: CensusDeps, context: ActorContext<CensusMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#moved = context.clock.now();
    context.self.tell({ type: 'census/tick' });
  }

  handle(): void {
    this.#count();
    const now = this.#context.clock.now();
    for (; now - this.#moved >= SLOT_MS; this.#moved += SLOT_MS) this.#deps.plane.viability.operations.tick();
    this.#context.after(TICK_MS, { type: 'census/tick' });
  }

  #count(): void {
    const { system, plane } = this.#deps;
    const living = new Set(system.childrenOf(UNITS).map(({ path }) => path.slice(UNITS.length + 1)));
    const wanted = new Map<string, UnitSource>();
    for (const [name, gate] of plane.gates) wanted.set(`unit:${upstreamId(name)}`, this.#upstream(name, gate));
    for (const name of plane.counters.shown) wanted.set(`unit:transport:${name}`, this.#transport(name));
    for (const [id, source] of wanted) {
      if (living.has(id)) continue;
      system.startChild(UNITS, actor<UnitMessage>({ id, restart: 'permanent', init: unit({ system, plane, source }) }));
    }
    for (const id of living) if (!wanted.has(id)) void system.stopChild(UNITS, id);
  }

  #upstream(name: string, gate: UpstreamGate): UnitSource {
    const state = () => ({ inFlight: gate.inFlight, ...this.#deps.facts(name) });
    return { unit: `upstream:${name}`, ledger: gate.ledger, state };
  }

  #transport(name: RequestTransport): UnitSource {
    const { unit: ledger } = this.#deps.plane.counters.transports[name];
    const state = () => ({ inFlight: ledger.inFlight, version: null, toolsHash: null });
    return { unit: `transport:${name}`, ledger, state };
  }
}
