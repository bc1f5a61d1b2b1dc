/**
 * Drains of client sessions: one, those of a principal, or whichever a wider target names. Plain memory and messages.
 */
import { type ActorSystem } from '../../kernel/index.js';
import { type ShutdownNotice } from '../client-message.js';
import { type DataPlane } from '../data-plane.js';
import { type HttpSockets, MAY_SEND_MS } from '../http-sockets.js';
import { type SessionEntry } from '../session-directory.js';
import { type Drainable } from './run.js';

export interface TargetDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly sockets: HttpSockets;
}

/** Some of the client sessions. */
export abstract class Sessions implements Drainable {
  protected readonly deps: TargetDeps;
  readonly #mine: (entry: SessionEntry) => boolean;
  /** Told to close whatever they do; they leave the directory when they have. */
  readonly #closed = new WeakSet<SessionEntry>();
  /** When a survey last found something of it in flight. */
  readonly #busyAt = new WeakMap<SessionEntry, number>();
  /** Since when idle ones are closed. */
  #since: number | null = null;
  /** Time is short, until then: idle is idle. */
  #lateUntil: number | null = null;

  constructor(deps: TargetDeps, mine: (entry: SessionEntry) => boolean) {
    this.deps = deps;
    this.#mine = mine;
  }

  survey(): void {
    const now = this.deps.system.clock.now();
    for (const entry of this.entries()) if (entry.inFlight > 0) this.#busyAt.set(entry, now);
  }

  lame(): void {
    // Nobody asks a session whether it is ready.
  }

  abstract refuse(deadlineAt: number): void;

  reopen(): void {
    this.#lateUntil = null;
    for (const entry of this.entries()) entry.quietUntil = null;
  }

  tell(notice: () => ShutdownNotice): number {
    const told = new Set<unknown>();
    for (const entry of this.entries()) {
      if (this.#closed.has(entry)) continue;
      told.add(entry.ref);
      entry.ref.urgent({ type: 'client/shutdown-pending', notice: notice() });
    }
    return this.tellOthers(notice, told);
  }

  connections(): number {
    let many = 0;
    for (const entry of this.entries()) if (!this.#closed.has(entry)) many += 1;
    return many;
  }

  inFlight(): number {
    let many = 0;
    for (const entry of this.entries()) many += entry.inFlight;
    return many;
  }

  shed(most: number): number {
    const { reading } = this.deps.sockets;
    const now = this.deps.system.clock.now();
    this.#since ??= now;
    const idle = [...this.entries()].filter(
      (entry) => entry.inFlight === 0 && !reading.has(entry.id) && this.#maySendNothing(entry, now),
    );
    idle.sort((a, b) => a.lastSeenAt - b.lastSeenAt);
    const shed = idle.slice(0, most);
    for (const entry of shed) this.#shed(entry);
    return shed.length;
  }

  quiet(deadlineAt: number): void {
    this.#lateUntil = deadlineAt;
    for (const entry of this.entries()) entry.quietUntil = deadlineAt;
  }

  closeAll(): void {
    for (const entry of this.entries()) if (!this.#closed.has(entry)) this.#close(entry);
  }

  gone(): boolean {
    return this.entries().next().done === true;
  }

  release(): void {
    // Nothing was held.
  }

  /** It is not to go before its client says so, or the time is over. */
  protected stays: (entry: SessionEntry) => boolean = () => false;

  protected *entries(): Generator<SessionEntry> {
    for (const entry of this.deps.plane.sessions.all()) if (this.#mine(entry)) yield entry;
  }

  /** Clients without a session; how many were told in all. */
  protected tellOthers(_notice: () => ShutdownNotice, told: ReadonlySet<unknown>): number {
    return told.size;
  }

  /**
   * Whether nothing is lost if it is closed now. What is on its way to a session of HTTP is answered all the same; on a
   * connection that closes nobody would learn of it, so those who have just been heard of or answered, and may be sending
   * the next request, are left alone while there is time.
   */
  #maySendNothing(entry: SessionEntry, now: number): boolean {
    if (this.#closed.has(entry) || this.stays(entry)) return false;
    const settled = this.#goesOver(entry) || (entry.transport === 'http' && now - (this.#since ?? now) >= MAY_SEND_MS);
    const active = Math.max(entry.lastSeenAt, this.#busyAt.get(entry) ?? 0);
    return settled || this.#lateUntil !== null || now - active >= MAY_SEND_MS;
  }

  /** Behind what has come in for it: it may find that something is in flight after all, and stays. */
  #shed(entry: SessionEntry): void {
    if (this.#goesOver(entry)) entry.ref.urgent({ type: 'client/hand-over', force: false });
    else entry.ref.tell({ type: 'client/close', reason: 'shutdown', ifIdle: true });
  }

  /** Whatever is in flight. */
  #close(entry: SessionEntry): void {
    if (this.#goesOver(entry)) return void entry.ref.urgent({ type: 'client/hand-over', force: true });
    this.#closed.add(entry);
    entry.ref.urgent({ type: 'client/close', reason: 'shutdown' });
  }

  #goesOver({ transport }: SessionEntry): boolean {
    return this.deps.plane.handover !== null && transport === 'http';
  }
}

/** One session; told to go, it is served until it does. */
export class OneSession extends Sessions {
  override refuse(): void {
    // There are no newcomers to a session.
  }
}

/** All sessions of a subject; new ones of it are refused meanwhile. */
export class PrincipalSessions extends Sessions {
  readonly #subject: string;

  constructor(deps: TargetDeps, mine: (entry: SessionEntry) => boolean, subject: string) {
    super(deps, mine);
    this.#subject = subject;
  }

  override refuse(deadlineAt: number): void {
    this.deps.plane.drainedSubjects.set(this.#subject, deadlineAt);
  }

  override reopen(): void {
    super.reopen();
    this.release();
  }

  override release(): void {
    this.deps.plane.drainedSubjects.delete(this.#subject);
  }
}
