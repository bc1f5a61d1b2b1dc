/**
 * S4, intelligence: the outside and then. Forecasts what each unit will be asked for, says how far that is to be trusted,
 * and watches for what is out of the ordinary or has changed outside.
 *
 * Parent: viability. Restart: permanent; what it has learnt is lost with it, and until it has learnt again S3 goes by what is.
 */
import { CONTROL } from '../../actors/names.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { Capability, type EventKind, Forecaster } from '../intelligence-model.js';
import { type UnitCycle } from '../unit-model.js';
import { type IntelligenceMessage } from './messages.js';

export interface IntelligenceDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
}

interface Knowledge {
  readonly rate: Forecaster;
  readonly p95: Forecaster;
  readonly failures: Forecaster;
  readonly capability: Capability;
  version: string | null;
  toolsHash: string | null;
}

export function intelligence(deps: IntelligenceDeps) {
  return (context: ActorContext<IntelligenceMessage>): Behavior<IntelligenceMessage> => new Intelligence(deps, context);
}

class Intelligence implements Behavior<IntelligenceMessage> {
  readonly #deps: IntelligenceDeps;
  readonly #context: ActorContext<IntelligenceMessage>;
  readonly #known = new Map<string, Knowledge>();

  constructor(deps: IntelligenceDeps, context: ActorContext<IntelligenceMessage>) {
    this.#deps = deps;
    this.#context = context;
  }

  handle(message: IntelligenceMessage): void {
    const { enabled, intelligence: options } = this.#deps.plane.options.vsm;
    if (!enabled || !options.enabled) return;
    switch (message.type) {
      case 'intelligence/observed':
        return this.#observed(message.cycle);
      case 'intelligence/environment':
        return this.#event('environment', message.source, message.what);
      case 'intelligence/pleasure':
        this.#known.get(message.source)?.capability.raise();
        return;
    }
  }

  terminate(): void {
    this.#deps.plane.viability.skills.clear();
  }

  #observed(seen: UnitCycle): void {
    const { intelligence: options } = this.#deps.plane.options.vsm;
    const known = this.#know(seen.unit);
    const out = known.rate.observe(seen.rate, options, options.sigma);
    if (out) this.#event('anomaly', seen.unit, `${seen.rate.toFixed(1)} demands a second are out of the ordinary`);
    if (seen.p95 !== null && known.p95.observe(seen.p95, options, options.sigma))
      this.#event('anomaly', seen.unit, `a 95th percentile of ${Math.round(seen.p95)} ms is out of the ordinary`);
    if (seen.failureRatio !== null && known.failures.observe(seen.failureRatio, options, options.sigma))
      this.#event('anomaly', seen.unit, `${Math.round(100 * seen.failureRatio)} % failures are out of the ordinary`);
    this.#environment(seen, known);
    this.#achievement(seen, known);
    this.#advise(seen, known);
  }

  /** Another version or other tools of the server, seen from one report to the next. */
  #environment(seen: UnitCycle, known: Knowledge): void {
    if (seen.version !== null && known.version !== null && seen.version !== known.version)
      this.#event('environment', seen.unit, `it is now ${seen.version}, was ${known.version}`);
    if (seen.toolsHash !== null && known.toolsHash !== null && seen.toolsHash !== known.toolsHash)
      this.#event('environment', seen.unit, 'its list of tools has changed');
    known.version = seen.version ?? known.version;
    known.toolsHash = seen.toolsHash ?? known.toolsHash;
  }

  #achievement(seen: UnitCycle, known: Knowledge): void {
    const capability = known.capability.value;
    if (capability !== null && seen.unit.startsWith('upstream:')) {
      const message = `it absorbs ${seen.absorbed.toFixed(1)} demands a second, was thought to manage ${capability.toFixed(1)}`;
      const { unit: source, absorbed: actuality } = seen;
      this.#deps.plane.pleasure.achieve({ source, index: 'absorption', actuality, capability, message });
    }
    known.capability.observe(seen.absorbed);
  }

  #advise({ unit, serviceTime }: UnitCycle, known: Knowledge): void {
    const { plane, system } = this.#deps;
    const { horizon } = plane.options.vsm.intelligence;
    const rate = known.rate.forecast(horizon);
    const { skill } = known.rate;
    plane.viability.skills.set(unit, skill);
    if (rate === null || !unit.startsWith('upstream:')) return;
    const gate = plane.gates.get(unit.slice('upstream:'.length));
    if (gate && skill !== null && skill > 0 && rate * (serviceTime ?? 0) > gate.maxInFlight)
      this.#event('forecast-breach', unit, `more is to come than its limit of ${gate.maxInFlight} calls in flight`);
    const at = this.#context.clock.now();
    system.whereis(CONTROL)?.tell({ type: 'control/advised', advice: { unit, at, rate, skill } });
  }

  #event(kind: EventKind, unit: string, what: string): void {
    const { plane, log } = this.#deps;
    if (!plane.viability.events.add({ at: this.#context.clock.now(), kind, unit, what })) return;
    log.info({ event: 'intelligence', kind, unit }, `${unit}: ${what}`);
  }

  #know(unit: string): Knowledge {
    const known = this.#known.get(unit);
    if (known) return known;
    const made: Knowledge = {
      rate: new Forecaster(),
      p95: new Forecaster(),
      failures: new Forecaster(),
      capability: new Capability(),
      version: null,
      toolsHash: null,
    };
    this.#known.set(unit, made);
    return made;
  }
}
