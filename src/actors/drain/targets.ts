/**
 * What can be drained, and what each step of a drain does to it. Plain memory and messages; nobody is waited for.
 */
import { type DrainTarget } from '../../admin/protocol.js';
import { type ActorSystem } from '../../kernel/index.js';
import { type ShutdownNotice } from '../client-message.js';
import { CATALOGUE, listenerName, upstreamLifecycle } from '../names.js';
import { type SessionEntry } from '../session-directory.js';
import { type UpstreamGate } from '../upstream-gate.js';
import { type Drainable } from './run.js';
import { OneSession, PrincipalSessions, Sessions, type TargetDeps } from './sessions.js';

/** The target as something that can be drained; `undefined` when there is none. */
export function drainable(deps: TargetDeps, target: DrainTarget): Drainable | undefined {
  const { plane, system } = deps;
  switch (target.kind) {
    case 'gateway':
      return new WholeGateway(deps);
    case 'upstream': {
      const gate = plane.gates.get(target.name);
      return gate && new Upstream(system, gate);
    }
    case 'session':
      return plane.sessions.get(target.id) && new OneSession(deps, (entry) => entry.id === target.id);
    case 'principal': {
      const theirs = (entry: SessionEntry): boolean => entry.principal.subject === target.subject;
      return new PrincipalSessions(deps, theirs, target.subject);
    }
    case 'listener':
      return plane.doors.has(target.id) ? new Listener(deps, target.id) : undefined;
  }
}

/** Names that could have been meant. */
export function targetNames({ plane }: TargetDeps, kind: DrainTarget['kind']): string[] {
  switch (kind) {
    case 'gateway':
      return [];
    case 'upstream':
      return [...plane.gates.keys()];
    case 'session':
      return [...plane.sessions.all()].map(({ id }) => id);
    case 'principal':
      return [...plane.sessions.all()].flatMap(({ principal }) => principal.subject ?? []);
    case 'listener':
      return [...plane.doors.keys()];
  }
}

/** Sessions that live on a connection of this listener, and its HTTP connections. */
class Listener extends Sessions {
  readonly #id: string;

  constructor(deps: TargetDeps, id: string) {
    super(deps, (entry) => entry.transport !== 'http');
    this.#id = id;
  }

  override survey(): void {
    super.survey();
    this.deps.sockets.survey(this.deps.system.clock.now());
  }

  override refuse(): void {
    const door = this.deps.plane.doors.get(this.#id);
    if (!door?.open) return;
    door.open = false;
    this.deps.system.tell(listenerName(this.#id), { type: 'listener/look' });
  }

  override quiet(deadlineAt: number): void {
    super.quiet(deadlineAt);
    this.deps.sockets.quietUntil = deadlineAt;
  }

  override release(): void {
    this.deps.sockets.quietUntil = null; // nobody listens: that alone keeps clients out now
  }

  override reopen(): void {
    super.reopen();
    this.release();
    const door = this.deps.plane.doors.get(this.#id);
    if (door) door.open = true;
    this.deps.system.tell(listenerName(this.#id), { type: 'listener/look' });
  }

  override connections(): number {
    return super.connections() + this.deps.sockets.idle;
  }

  override inFlight(): number {
    return super.inFlight() + this.deps.sockets.busy;
  }

  override shed(most: number): number {
    const shed = super.shed(most);
    return shed + this.deps.sockets.closeIdle(most - shed);
  }

  override closeAll(): void {
    super.closeAll();
    this.deps.sockets.closeIdle(Infinity, 0);
  }
}

/** Everything. */
class WholeGateway extends Sessions {
  constructor(deps: TargetDeps) {
    super(deps, () => true);
  }

  /** While a successor takes over, what waits for nothing goes there unnoticed, so that takes no pace. */
  override survey(): void {
    super.survey();
    const { plane, sockets, system } = this.deps;
    const now = system.clock.now();
    if (!plane.handover) return sockets.survey(now);
    sockets.handOver((socket) => plane.handover?.socket(socket), now);
    const reading = sockets.reading;
    for (const entry of this.entries()) {
      const idle = entry.inFlight === 0 && !entry.streaming && !reading.has(entry.id);
      if (entry.transport === 'http' && idle && !this.stays(entry))
        entry.ref.urgent({ type: 'client/hand-over', force: false });
    }
  }

  /** Of clients whose connections cannot go along: each is told to close it with its next answer, and fetches its session then. */
  protected override stays = ({ transport, streaming }: SessionEntry): boolean =>
    this.deps.plane.handover !== null && transport === 'http' && !streaming && this.deps.sockets.secure;

  override lame(): void {
    this.deps.plane.admission = { state: 'lame_duck' };
  }

  override refuse(deadlineAt: number): void {
    const { plane } = this.deps;
    plane.admission = plane.handover ? { state: 'handing_over' } : { state: 'draining', deadlineAt };
    if (!plane.handover) this.deps.sockets.lastAnswers();
  }

  override quiet(deadlineAt: number): void {
    super.quiet(deadlineAt);
    this.deps.plane.quietUntil = deadlineAt;
  }

  override reopen(): void {
    super.reopen();
    this.deps.plane.admission = { state: 'running' };
    this.deps.plane.quietUntil = null;
  }

  override connections(): number {
    const { plane, sockets } = this.deps;
    // A successor takes every socket, whatever it is doing now; one over TLS has to go by itself or be closed.
    return super.connections() + (plane.handover ? sockets.size : sockets.idle);
  }

  /** Calls at the upstreams, and what sessions wait for besides: both are requests without an answer. */
  override inFlight(): number {
    return Math.max(super.inFlight(), this.deps.plane.counters.inFlight, this.deps.sockets.busy);
  }

  override shed(most: number): number {
    const shed = super.shed(most);
    return shed + this.deps.sockets.closeIdle(most - shed);
  }

  override closeAll(): void {
    super.closeAll();
    this.deps.sockets.closeIdle(Infinity, 0);
  }

  /** What was answered last has left this process, too. */
  override gone(): boolean {
    const { plane, sockets } = this.deps;
    return super.gone() && plane.farewells === 0 && sockets.busy === 0 && !sockets.unsent;
  }

  /** Clients of the modern era with a stream of changes: it ends with its result. */
  protected override tellOthers(notice: () => ShutdownNotice, told: ReadonlySet<unknown>): number {
    let many = told.size;
    for (const ref of this.deps.plane.listeners) {
      if (told.has(ref)) continue;
      ref.urgent({ type: 'client/shutdown-pending', notice: notice() });
      many += 1;
    }
    return many;
  }
}

/** One server: its entries leave the lists, its calls finish, then it is disabled. */
class Upstream implements Drainable {
  readonly #system: ActorSystem;
  readonly #gate: UpstreamGate;

  constructor(system: ActorSystem, gate: UpstreamGate) {
    this.#system = system;
    this.#gate = gate;
  }

  survey(): void {
    // The gate counts by itself.
  }

  lame(): void {
    // Clients see lists, not readiness.
  }

  refuse(deadlineAt: number): void {
    this.#gate.drainsUntil = deadlineAt;
    this.#system.tell(CATALOGUE, { type: 'catalogue/unavailable', server: this.#gate.name });
  }

  reopen(): void {
    this.#gate.drainsUntil = null;
    const lifecycle = upstreamLifecycle(this.#gate.name);
    this.#system.tell(lifecycle, { type: 'upstream/offer-again' });
    this.#system.tell(lifecycle, { type: 'upstream/enable' });
  }

  tell(): number {
    return 0; // the catalogue announces changed lists
  }

  connections(): number {
    return 0;
  }

  inFlight(): number {
    return this.#gate.inFlight;
  }

  shed(): number {
    return 0;
  }

  quiet(): void {
    // It takes no calls from the beginning.
  }

  closeAll(): void {
    this.#system.tell(upstreamLifecycle(this.#gate.name), { type: 'upstream/disable' });
  }

  gone(): boolean {
    return this.#gate.session === null && this.#gate.inFlight === 0;
  }

  release(): void {
    this.#gate.drainsUntil = null; // disabled: that alone keeps calls out now
  }
}
