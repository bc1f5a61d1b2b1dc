/**
 * The viable system on a virtual clock, with simulated servers and clients: the real S1 to S5 over a real data plane, calls
 * that pass the data path's own bounds and fill its own books. Only the servers, the clients and time are made up.
 *
 * Deterministic: the same scenario and seed give the same numbers on every machine.
 */
import { beyondGrant } from '#src/actors/call-books.js';
import { DataPlane } from '#src/actors/data-plane.js';
import { ALGEDONIC, UNITS } from '#src/actors/names.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { resolveDocument } from '#src/config/resolve.js';
import { actor, ActorSystem, type ChildSpec, dynamic, supervisor, VirtualClock } from '#src/kernel/index.js';
import { Counters } from '#src/telemetry/counters.js';
import { createLog } from '#src/telemetry/logger.js';
import { algedonic } from '#src/vsm/actors/algedonic.js';
import { AlgedonicLine } from '#src/vsm/actors/algedonic-line.js';
import { census } from '#src/vsm/actors/census.js';
import { control } from '#src/vsm/actors/control.js';
import { coordination } from '#src/vsm/actors/coordination.js';
import { intelligence } from '#src/vsm/actors/intelligence.js';
import { policy } from '#src/vsm/actors/policy.js';
import { refusal } from '#src/vsm/policy-model.js';
import { poisson, seeded } from './random.js';

/** A simulated server and what clients ask of it. `t` in seconds. */
export interface Server {
  readonly name: string;
  /** Demands a second. */
  readonly rate: (t: number) => number;
  /** Seconds for one call alone. */
  readonly serviceTime: (t: number) => number;
  /** Calls that it works on at a time without getting slower. */
  readonly workers: number;
  /** On whose behalf. */
  readonly role?: string;
  readonly maxInFlight?: number;
  /** The part of its calls that fails. */
  readonly failing?: (t: number) => number;
}

export interface Scenario {
  readonly seed: number;
  readonly seconds: number;
  readonly servers: readonly Server[];
  /** `gateway.vsm`. */
  readonly vsm: object;
  /** Called once a second, before the calls of that second. */
  readonly each?: (t: number, plane: DataPlane) => void;
}

/** One second of one server. */
export interface Sample {
  readonly t: number;
  readonly server: string;
  readonly offered: number;
  readonly absorbed: number;
  readonly attenuated: number;
  readonly failed: number;
  readonly inFlight: number;
  /** What its lease allows; `null` without one. */
  readonly slots: number | null;
}

const STEP_MS = 100;
const QUIET_TURNS = 3;

export async function simulate(scenario: Scenario): Promise<{ readonly samples: Sample[]; readonly plane: DataPlane }> {
  const run = new Run(scenario);
  await run.boot();
  for (let t = 0; t < scenario.seconds; t++) await run.second(t);
  await run.stop();
  return { samples: run.samples, plane: run.plane };
}

interface Tally {
  offered: number;
  absorbed: number;
  attenuated: number;
  failed: number;
}

class Run {
  readonly samples: Sample[] = [];
  readonly plane: DataPlane;
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock(1_000_000);
  readonly #system = new ActorSystem({ clock: this.#clock });
  readonly #random: () => number;
  readonly #log = createLog('silent', false).log;
  readonly #tallies = new Map<string, Tally>();
  #events = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = seeded(scenario.seed);
    const document = { gateway: { vsm: scenario.vsm } };
    const loaded = resolveDocument(document, { file: null, baseDir: '/', env: {}, overrides: {} });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
    this.plane = new DataPlane(loaded.config.gateway, new Counters());
    this.#system.onReport(() => (this.#events += 1));
    for (const { name, maxInFlight = 1_000 } of scenario.servers) {
      this.plane.gates.set(name, new UpstreamGate(name, maxInFlight, 60_000));
      this.#tallies.set(name, { offered: 0, absorbed: 0, attenuated: 0, failed: 0 });
    }
  }

  async boot(): Promise<void> {
    const { plane } = this;
    const system = this.#system;
    const log = this.#log;
    const state = plane.viability;
    const line = new AlgedonicLine(system, ALGEDONIC, state);
    plane.algedonic = line;
    plane.pleasure = line;
    const sink = { send: () => undefined, close: () => undefined };
    const facts = () => ({ version: null, toolsHash: null });
    const branch = (id: string, children: readonly ChildSpec[]): ChildSpec =>
      supervisor({ id, strategy: 'one_for_one', intensity: { max: 10, withinMs: 1_000 }, children });
    await system.boot(
      branch('root', [
        branch('viability', [
          actor({ id: 'policy', init: policy({ system, plane, state, log }) }),
          actor({ id: 'algedonic', init: algedonic({ system, plane, state, line, log, sink }) }),
          actor({ id: 'intelligence', init: intelligence({ system, plane, log }) }),
          actor({ id: 'control', init: control({ system, plane, log, resources: () => ({}) }) }),
          actor({ id: 'coordination', init: coordination({ plane, log }) }),
        ]),
        branch('operations', [
          dynamic({ id: UNITS.split('/').at(-1) ?? '', intensity: { max: 10, withinMs: 1_000 } }),
          actor({ id: 'census', init: census({ system, plane, facts }) }),
        ]),
      ]),
    );
    await this.#settle();
  }

  async second(t: number): Promise<void> {
    this.#scenario.each?.(t, this.plane);
    for (let step = 0; step < 1_000; step += STEP_MS) {
      for (const server of this.#scenario.servers) {
        const calls = poisson((server.rate(t + step / 1_000) * STEP_MS) / 1_000, this.#random);
        for (let i = 0; i < calls; i++) this.#call(server, t + step / 1_000);
      }
      this.#clock.advance(STEP_MS);
      await this.#settle();
    }
    for (const [server, tally] of this.#tallies) {
      const gate = this.#gate(server);
      const slots = gate.allowance.lease ? gate.allowance.slots(this.#clock.now()) : null;
      this.samples.push({ t, server, ...tally, inFlight: gate.inFlight, slots });
      Object.assign(tally, { offered: 0, absorbed: 0, attenuated: 0, failed: 0 });
    }
  }

  stop(): Promise<void> {
    return this.#system.shutdown();
  }

  #gate(name: string): UpstreamGate {
    const gate = this.plane.gates.get(name);
    if (!gate) throw new Error(`no server ${name}`);
    return gate;
  }

  #tally(name: string): Tally {
    const tally = this.#tallies.get(name);
    if (!tally) throw new Error(`no server ${name}`);
    return tally;
  }

  /** One call, bounded and booked as the data path does it. */
  #call(server: Server, t: number): void {
    const { plane } = this;
    const gate = this.#gate(server.name);
    const tally = this.#tally(server.name);
    const role = server.role ?? 'user';
    tally.offered += 1;
    const who = { role, subject: 'somebody' };
    const { conserve } = plane.options.vsm.policy;
    if (refusal(plane.viability.policy.mode, who, 'tools/call', true, conserve)) return;
    const full = gate.inFlight >= gate.maxInFlight || beyondGrant(plane, gate, this.#clock.now());
    if (full) {
      tally.attenuated += 1;
      gate.ledger.attenuated += 1;
      plane.viability.operations.settle('tools/call', server.name, role, 'attenuated');
      return;
    }
    gate.ledger.started += 1;
    gate.inFlight += 1;
    plane.counters.inFlight += 1;
    const crowd = Math.max(1, gate.inFlight / server.workers);
    const seconds = server.serviceTime(t) * crowd * (0.5 + this.#random());
    const fails = this.#random() < (server.failing?.(t) ?? 0);
    this.#clock.after(seconds * 1_000, () => {
      gate.inFlight -= 1;
      plane.counters.inFlight -= 1;
      const how = fails ? 'failed' : 'absorbed';
      tally[how] += 1;
      gate.ledger.settle(how, seconds * 1_000);
      plane.viability.operations.settle('tools/call', server.name, role, how);
    });
  }

  /** Lets the actors react to what is due. */
  async #settle(): Promise<void> {
    for (let idle = 0, last = -1; idle < QUIET_TURNS; idle++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#events !== last) idle = -1;
      last = this.#events;
    }
  }
}

/** The sum of one column over a server's samples between two instants. */
export function total(
  samples: readonly Sample[],
  server: string,
  column: 'offered' | 'absorbed' | 'attenuated' | 'failed',
  from = 0,
  to = Infinity,
): number {
  return samples
    .filter((sample) => sample.server === server && sample.t >= from && sample.t < to)
    .reduce((sum, sample) => sum + sample[column], 0);
}
