/**
 * How the gateway takes over from a predecessor and is taken over from by a successor: its drains, its hand-over, its
 * listener and the sockets that come and go by it. Wiring only.
 */
import { type Server as HttpServer } from 'node:http';
import { type Server } from 'node:net';
import { DrainBoard } from '../actors/drain/board.js';
import { gatewayDrain } from '../actors/drain/gateway-drain.js';
import { type DrainOutcome } from '../actors/drain/messages.js';
import { type DataPlane } from '../actors/data-plane.js';
import { handover, type HandoverRecord } from '../actors/handover.js';
import { adoptSession, saidElsewhere } from '../actors/http-elsewhere.js';
import { type HttpFront } from '../actors/http-front.js';
import { HttpSockets } from '../actors/http-sockets.js';
import { type SessionEnvironment } from '../actors/legacy-session.js';
import { listener, Sockets } from '../actors/listener.js';
import { type Arrivals, type Predecessor } from '../handover/predecessor.js';
import { type ActorSystem, type Clock } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';

export interface SuccessionDeps {
  readonly system: ActorSystem;
  readonly env: SessionEnvironment;
  readonly front: HttpFront;
  readonly http: HttpServer;
  readonly address: { host: string; port: number };
  readonly log: Logger;
  readonly random: () => number;
  /** The gateway's drain has ended, and was not called off. */
  readonly onEnd: (outcome: DrainOutcome) => void;
}

/** How long a successor waits for its upstreams before it takes over without them. */
const UPSTREAMS_WITHIN_MS = 10_000;
const LOOK_MS = 25;

export class Succession {
  readonly drains = new DrainBoard();
  readonly sockets = new HttpSockets();
  readonly record: HandoverRecord = { snapshot: null, successor: null };
  readonly #plane: DataPlane;
  readonly #clock: Clock;
  readonly #predecessor: Predecessor | null;
  readonly #wanted: (name: string) => boolean;
  #arrivals: Arrivals | null = null;
  readonly #waiters: ((outcome: DrainOutcome) => void)[] = [];
  #inherited = false;
  #serving = false;

  /** @param wanted whether an upstream of this name is to run */
  constructor(plane: DataPlane, clock: Clock, predecessor: Predecessor | null, wanted: (name: string) => boolean) {
    this.#wanted = wanted;
    this.#plane = plane;
    this.#clock = clock;
    this.#predecessor = predecessor;
    plane.predecessor = predecessor;
  }

  /** Whether the admin socket is still the predecessor's. */
  get takesOver(): boolean {
    return this.#predecessor !== null && !this.#serving;
  }

  inits(deps: SuccessionDeps): Record<string, unknown> {
    const { system, env, front, http, address, log, random } = deps;
    const onEnd = (outcome: DrainOutcome): void => {
      if (outcome !== 'cancelled') return deps.onEnd(outcome);
      for (const resolve of this.#waiters.splice(0)) resolve(outcome);
    };
    const plane = this.#plane;
    this.sockets.readBy(http);
    const accepted = new Sockets({
      system,
      plane,
      http,
      env,
      nextSocketId: () => this.sockets.nextId(),
      onConnection: (socket, connection) => this.sockets.add(socket, connection),
      onUpgrade: (socket) => this.sockets.remove(socket),
    });
    this.#arrivals = {
      onSession: (state) => adoptSession(system, env, front.nextSessionName(), state),
      onSocket: (socket) => accepted.adopt(socket),
      onSaid: (id, key, text) => saidElsewhere(plane, id, key, text),
    };
    return {
      '/front/listeners/http': listener({ plane, log, sockets: accepted, address, inherit: () => this.#inherit() }),
      '/drain/gateway': gatewayDrain({ system, plane, log, random, board: this.drains, sockets: this.sockets, onEnd }),
      '/drain/handover': handover({ system, plane, log, record: this.record }),
    };
  }

  /** Resolves when the gateway's drain is called off: that ends nothing but the waiting for it. */
  calledOff(): Promise<DrainOutcome> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Everything runs: the predecessor may hand over. */
  serve(): void {
    this.#serving = true;
    if (this.#arrivals) this.#predecessor?.serving(this.#arrivals);
  }

  /** The predecessor's listening socket, once. */
  async #inherit(): Promise<Server | null> {
    if (this.#predecessor === null || this.#inherited) return null;
    this.#inherited = true;
    await this.#upstreams();
    return this.#predecessor.takeListener();
  }

  /** Until every upstream that is to run takes calls and is in the catalogue. */
  async #upstreams(): Promise<void> {
    const until = this.#clock.now() + UPSTREAMS_WITHIN_MS;
    const { gates } = this.#plane;
    const waitsFor = (name: string): boolean =>
      this.#wanted(name) && this.#plane.routing.offer(name)?.available !== true;
    while ([...gates.keys()].some(waitsFor) && this.#clock.now() < until)
      await new Promise<void>((resolve) => this.#clock.after(LOOK_MS, resolve));
  }
}
