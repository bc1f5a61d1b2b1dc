/** An actor system on a virtual clock with a data plane, whose named actors are real ones or recorders. */
import { resolveDocument } from '#src/config/resolve.js';
import { type Config } from '#src/config/types.js';
import { DataPlane } from '#src/actors/data-plane.js';
import {
  actor,
  type ActorInit,
  actorName,
  ActorSystem,
  type ChildSpec,
  dynamic,
  type Intensity,
  type Ref,
  type Report,
  supervisor,
  VirtualClock,
} from '#src/kernel/index.js';
import { Counters } from '#src/telemetry/counters.js';
import { createLog } from '#src/telemetry/logger.js';
import { settle } from '../kernel.js';

/** The configuration that this document means. */
export function configOf(document: object = {}): Config {
  const loaded = resolveDocument(document, { file: null, baseDir: '/', env: {}, overrides: {} });
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '));
  return loaded.config;
}

/** What stands at a path: an actor, a dynamic supervisor, or an actor that only remembers what it is told. */
export type Place = ActorInit<never> | 'dynamic' | 'recorder';

/** Forgets the message type, as the tree does. */
export function live<M>(init: ActorInit<M>): Place {
  return init as unknown as ActorInit<never>;
}

const ENOUGH: Intensity = { max: 100, withinMs: 1_000 };

export class World {
  readonly clock = new VirtualClock(1_000_000);
  readonly reports: Report[] = [];
  readonly system = new ActorSystem({ clock: this.clock, onReport: (report) => this.reports.push(report) });
  readonly plane: DataPlane;
  readonly output = createLog('trace', false);
  /** Grows with whatever tests see happen; `settle` waits until it stands still. */
  activity = 0;
  readonly #heard = new Map<string, unknown[]>();

  constructor(config: Config = configOf()) {
    this.output.setQuiet(true);
    this.output.ring.follow(() => (this.activity += 1));
    this.plane = new DataPlane(config.gateway, new Counters());
  }

  get log() {
    return this.output.log;
  }

  /** Messages of the log with this event, oldest first. */
  logged(event: string): string[] {
    return this.output.ring.last(10_000, (line) => line.event === event).map((line) => line.message);
  }

  async boot(places: Readonly<Record<string, Place>>): Promise<void> {
    await this.system.boot(this.#node('', 'root', places));
    await this.settle();
  }

  /** What a recorder was told so far. */
  heard<M>(path: string): M[] {
    const known = this.#heard.get(path) ?? [];
    this.#heard.set(path, known);
    return known as M[];
  }

  /** What a recorder was told since the last look. */
  take<M>(path: string): M[] {
    return this.heard<M>(path).splice(0);
  }

  ref<M>(path: string): Ref<M> {
    const ref = this.system.whereis(actorName<M>(path));
    if (!ref) throw new Error(`nobody lives at ${path}`);
    return ref;
  }

  settle(): Promise<void> {
    return settle(() => this.activity + this.reports.length, this.clock);
  }

  /** Moves time on in small steps, letting everybody react at each. */
  async advance(ms: number, step = ms): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await this.settle();
    }
  }

  recorder(path: string): ActorInit<never> {
    return () => ({
      handle: (message: unknown) => {
        this.activity += 1;
        this.heard(path).push(message);
      },
    });
  }

  #node(path: string, id: string, places: Readonly<Record<string, Place>>): ChildSpec {
    const place = places[path];
    if (place === 'dynamic') return dynamic({ id, intensity: ENOUGH });
    if (place === 'recorder') return actor<never>({ id, init: this.recorder(path) });
    if (place) return actor<never>({ id, init: place });
    const below = Object.keys(places).flatMap((at) =>
      at.startsWith(`${path}/`) ? at.slice(path.length + 1).split('/')[0] : [],
    );
    const ids = [...new Set(below)].filter((child) => child !== undefined);
    return supervisor({
      id,
      strategy: 'rest_for_one',
      intensity: ENOUGH,
      children: ids.map((child) => this.#node(`${path}/${child}`, child, places)),
    });
  }
}

/** A reference that is no actor: it keeps what it is sent. */
export class FakeRef<M> implements Ref<M> {
  readonly incarnation = 1;
  alive = true;
  backlog = 0;
  result: 'ok' | 'full' | 'noproc' = 'ok';
  readonly messages: M[] = [];

  constructor(readonly path = '/fake') {}

  tell(message: M): 'ok' | 'full' | 'noproc' {
    if (this.result === 'ok') this.messages.push(message);
    return this.result;
  }

  urgent(message: M): 'ok' | 'full' | 'noproc' {
    return this.tell(message);
  }

  answer(message: M): 'ok' | 'full' | 'noproc' {
    return this.tell(message);
  }

  accept(message: M): 'ok' | 'full' | 'noproc' {
    return this.tell(message);
  }
}
