/** A viable system on a virtual clock: the real channel and S5 over a data plane, with recorders around them. */
import { ALGEDONIC } from '#src/actors/names.js';
import { type Alarm } from '#src/vsm/alarms-model.js';
import { algedonic } from '#src/vsm/actors/algedonic.js';
import { AlgedonicLine } from '#src/vsm/actors/algedonic-line.js';
import { policy } from '#src/vsm/actors/policy.js';
import { type Notice, type OperatorSink } from '#src/vsm/actors/webhook.js';
import { type Reading } from '#src/vsm/reading.js';
import { configOf, live, type Place, World } from './actors/world.js';

export const HURT: Reading = {
  source: 'upstream:one',
  index: 'down_ms',
  value: 6,
  pain: 5,
  agony: 10,
  message: 'upstream "one" is away',
};

/** Keeps what the operator would have been told. */
export class FakeSink implements OperatorSink {
  readonly told: [Notice, Alarm][] = [];
  closed = 0;

  send(what: Notice, alarm: Alarm): void {
    this.told.push([what, alarm]);
  }

  close(): void {
    this.closed += 1;
  }
}

export class ViableWorld extends World {
  readonly sink = new FakeSink();

  constructor(vsm: object = {}) {
    super(configOf({ gateway: { vsm } }));
  }

  get state() {
    return this.plane.viability;
  }

  get alarms() {
    return this.state.alarms.active();
  }

  /** The channel and S5; `more` beside them, or in their place. */
  async start(more: Readonly<Record<string, Place>> = {}, without: readonly string[] = []): Promise<void> {
    const { system, plane, log, state, sink } = this;
    const line = new AlgedonicLine(system, ALGEDONIC, state);
    plane.algedonic = line;
    plane.pleasure = line;
    const places: Record<string, Place> = {
      '/viability/policy': live(policy({ system, plane, state, log })),
      '/viability/algedonic': live(algedonic({ system, plane, state, line, log, sink })),
      '/viability/control': 'recorder',
      ...more,
    };
    const kept = Object.entries(places).filter(([path]) => !without.includes(path));
    await this.boot(Object.fromEntries(kept));
  }

  report(over: Partial<Reading> = {}): Promise<void> {
    this.plane.algedonic.report({ ...HURT, ...over });
    return this.settle();
  }
}
