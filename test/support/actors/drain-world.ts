/** Drain actors on a virtual clock, with clients that only remember what they are told and go when they are closed. */
import { DrainBoard } from '#src/actors/drain/board.js';
import { gatewayDrain } from '#src/actors/drain/gateway-drain.js';
import {
  type DrainMessage,
  type DrainOutcome,
  type DrainReply,
  type DrainRequest,
} from '#src/actors/drain/messages.js';
import { type ClientMessage, type ShutdownNotice } from '#src/actors/client-message.js';
import { HttpSockets } from '#src/actors/http-sockets.js';
import { CATALOGUE, CONTROL, DRAIN, PARTIAL_DRAINS } from '#src/actors/names.js';
import { type SessionEntry } from '#src/actors/session-directory.js';
import { type DrainSnapshot, type ConnectionSnapshot } from '#src/admin/protocol.js';
import { ANONYMOUS, type Principal } from '#src/auth/principal.js';
import { ask } from '#src/kernel/index.js';
import { type DrainStep } from '#src/vsm/actors/messages.js';
import { type Reading } from '#src/vsm/reading.js';
import { configOf, FakeRef, live, type Place, World } from './world.js';

/** A client session: what it was told, and when. */
export class Guest implements SessionEntry {
  readonly transport = 'websocket';
  readonly scope = null;
  readonly ref: FakeRef<ClientMessage>;
  readonly notices: { readonly at: number; readonly notice: ShutdownNotice }[] = [];
  inFlight = 0;
  readonly streaming = true;
  lastSeenAt = 0;
  quietUntil: number | null = null;
  /** When it was closed. */
  closedAt: number | null = null;
  closes = 0;

  constructor(
    readonly world: World,
    readonly id: string,
    readonly principal: Principal = ANONYMOUS,
  ) {
    this.ref = new FakeRef<ClientMessage>(`/guest/${id}`);
    const told = (message: ClientMessage): 'ok' => {
      this.#told(message);
      return 'ok';
    };
    this.ref.urgent = told;
    this.ref.tell = told;
    world.plane.sessions.add(this);
  }

  #told(message: ClientMessage): void {
    this.world.activity += 1;
    const at = this.world.clock.now();
    if (message.type === 'client/shutdown-pending') this.notices.push({ at, notice: message.notice });
    if (message.type !== 'client/close' || (message.ifIdle && this.inFlight > 0)) return;
    this.closes += 1;
    this.closedAt ??= at;
    this.world.plane.sessions.remove(this.id, this.ref);
  }

  inspect(): ConnectionSnapshot {
    throw new Error('nobody asks');
  }
}

export function subject(name: string): Principal {
  return { ...ANONYMOUS, subject: name, key: `sub:test:${name}` };
}

export class DrainWorld {
  readonly world: World;
  readonly board = new DrainBoard();
  readonly sockets = new HttpSockets();
  readonly outcomes: DrainOutcome[] = [];
  readonly readings: Reading[] = [];
  readonly changes: DrainSnapshot[] = [];

  constructor(
    draining: object = {},
    readonly random: () => number = Math.random,
  ) {
    this.world = new World(configOf({ gateway: { draining } }));
    const { plane } = this.world;
    plane.admission = { state: 'running' };
    plane.algedonic = { report: (reading) => void this.readings.push(reading) };
    this.board.follow((snapshot) => {
      this.world.activity += 1;
      this.changes.push(snapshot);
    });
  }

  async boot(places: Readonly<Record<string, Place>> = {}): Promise<this> {
    const { system, plane, log } = this.world;
    const { board, random } = this;
    await this.world.boot({
      [CONTROL.path]: 'recorder',
      [CATALOGUE.path]: 'recorder',
      ...places,
      [PARTIAL_DRAINS]: 'dynamic',
      [DRAIN.path]: live(
        gatewayDrain({
          system,
          plane,
          log,
          random,
          board,
          sockets: this.sockets,
          onEnd: (outcome) => this.outcomes.push(outcome),
        }),
      ),
    });
    return this;
  }

  guests(many: number, inFlight = 0): Guest[] {
    return Array.from({ length: many }, (_, i) => {
      const guest = new Guest(this.world, `guest-${i}`);
      guest.inFlight = inFlight;
      return guest;
    });
  }

  async tell(message: DrainMessage): Promise<void> {
    this.world.system.urgent(DRAIN, message);
    await this.world.settle();
  }

  async begin(request: Partial<DrainRequest> = {}): Promise<DrainReply> {
    return await this.#ask((replyTo) => ({ type: 'drain/begin', reason: 'test', ...request, replyTo }));
  }

  async cancel(target?: DrainRequest['target']): Promise<DrainReply> {
    return await this.#ask((replyTo) => ({ type: 'drain/cancel', ...(target && { target }), replyTo }));
  }

  /** What S3 was told, as `phase` or `phase:outcome`, without repetitions. */
  steps(id: string): string[] {
    const steps = this.world
      .heard<DrainStep>(CONTROL.path)
      .filter(({ target = 'gateway' }) => target === id)
      .map(({ phase, outcome }) => (outcome === null ? phase : `${phase}:${outcome}`));
    return steps.filter((step, i) => step !== steps[i - 1]);
  }

  async #ask(message: (replyTo: { reply(value: DrainReply): void }) => DrainMessage): Promise<DrainReply> {
    const { system } = this.world;
    const answer = ask<DrainMessage, DrainReply>(system.wheel, system.whereis(DRAIN), message, 100);
    await this.world.settle();
    return await answer;
  }
}
