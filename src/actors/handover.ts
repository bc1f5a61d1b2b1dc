/**
 * Hand-over: starts a successor of this process, gives it the listening socket when it is ready, and has this process
 * drained once it serves: connections and sessions go over, nobody is refused (docs/adr/0012).
 *
 * Parent: drain. Restart: permanent; a restarted one goes on with the successor that its record names.
 *
 * Invariant: until the successor serves nothing here has changed, so that whatever goes wrong with it costs nothing.
 * The phases are `src/machines/handover.ts`.
 */
import { type HandoverSnapshot } from '../admin/protocol.js';
import { HANDOVER_PROTOCOL, type SessionState, type ToPredecessor } from '../handover/messages.js';
import { Successor, type SuccessorCommand } from '../handover/successor.js';
import { type ActorContext, type ActorSystem, type Behavior, type ReplyTo } from '../kernel/index.js';
import { type HandoverEvent, HandoverStepper } from '../machines/handover.js';
import { parseFrame } from '../protocol/parse.js';
import { type Logger } from '../telemetry/logger.js';
import { type DataPlane } from './data-plane.js';
import { type HttpSessionMessage } from './http-session.js';
import { DRAIN, HANDOVER, listenerName } from './names.js';

export type HandoverMessage =
  | {
      readonly type: 'handover/begin';
      readonly command: SuccessorCommand;
      /** How long the successor may take to serve. Milliseconds. */
      readonly timeoutMs?: number;
      readonly replyTo?: ReplyTo<HandoverSnapshot>;
    }
  | { readonly type: 'handover/heard'; readonly message: ToPredecessor }
  | { readonly type: 'handover/exited'; readonly why: string }
  | { readonly type: 'handover/late' };

/** Written by the hand-over actor, and counted in by the sessions and sockets that go. Outlives a crash of the actor. */
export interface HandoverRecord {
  snapshot: HandoverSnapshot | null;
  successor: Successor | null;
}

export interface HandoverDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly record: HandoverRecord;
  /** Starts the successor. Tests start none. */
  readonly start?: (command: SuccessorCommand) => Successor;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** The listener that is handed over. */
const LISTENER = 'http';

export function handover(deps: HandoverDeps) {
  return (context: ActorContext<HandoverMessage>): Behavior<HandoverMessage> => new Handover(deps, context);
}

class Handover implements Behavior<HandoverMessage> {
  readonly #deps: HandoverDeps;
  readonly #context: ActorContext<HandoverMessage>;
  readonly #machine: HandoverStepper;

  constructor(deps: HandoverDeps, context: ActorContext<HandoverMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#machine = new HandoverStepper(deps.record.snapshot?.state);
    if (this.#machine.phase === 'starting' || this.#machine.phase === 'switching')
      context.after(DEFAULT_TIMEOUT_MS, { type: 'handover/late' });
  }

  handle(message: HandoverMessage): void {
    switch (message.type) {
      case 'handover/begin':
        this.#begin(message.command, message.timeoutMs ?? DEFAULT_TIMEOUT_MS);
        if (this.#deps.record.snapshot) message.replyTo?.reply(this.#deps.record.snapshot);
        return;
      case 'handover/heard':
        return this.#heard(message.message);
      case 'handover/exited':
        if (this.#machine.phase === 'draining')
          this.#deps.log.error({ event: 'successor_lost', why: message.why }, `the successor is lost: ${message.why}`);
        return this.#failed(message.why);
      case 'handover/late':
        return this.#failed('it did not get ready in time');
    }
  }

  async terminate(): Promise<void> {
    const { successor } = this.#deps.record;
    if (!successor || !this.#context.signal.aborted) return;
    if (this.#step({ type: 'drained' })) await successor.part();
    else if (this.#machine.phase !== 'failed' && this.#machine.phase !== 'done') successor.kill();
  }

  #begin(command: SuccessorCommand, timeoutMs: number): void {
    const { record, system, log } = this.#deps;
    if (!this.#machine.send({ type: 'start' })) return; // one runs: the caller joins it
    const startedAt = this.#context.clock.now();
    record.snapshot = { state: 'starting', startedAt, pid: null, error: null, sessions: 0, sockets: 0 };
    const start = this.#deps.start ?? ((wanted) => new Successor(wanted, events));
    const events = {
      onMessage: (message: ToPredecessor) => void system.tell(HANDOVER, { type: 'handover/heard', message }),
      onExit: (why: string) => void system.tell(HANDOVER, { type: 'handover/exited', why }),
    };
    record.successor = start(command);
    this.#note({ pid: record.successor.pid });
    log.info({ event: 'handover', pid: record.successor.pid }, 'a successor was started');
    this.#context.after(timeoutMs, { type: 'handover/late' });
  }

  #heard(message: ToPredecessor): void {
    switch (message.type) {
      case 'successor/prepared':
        return this.#prepared(message.protocol);
      case 'successor/serving':
        return this.#serving();
      case 'session/claim':
        return this.#claim(message.id);
      case 'session/said':
        return this.#said(message.id, message.key, message.text);
    }
  }

  #prepared(protocol: number): void {
    if (protocol !== HANDOVER_PROTOCOL) return this.#failed(`it speaks version ${protocol} of the hand-over protocol`);
    const server = this.#deps.plane.doors.get(LISTENER)?.server;
    if (!server) return this.#failed('this process does not listen');
    if (this.#step({ type: 'prepared' }))
      this.#deps.record.successor?.send({ type: 'handover/listen', protocol: HANDOVER_PROTOCOL }, server);
  }

  /** Both processes accept from the same queue now; this one stops, and empties itself. */
  #serving(): void {
    const { plane, system, record, log } = this.#deps;
    const { successor } = record;
    if (!successor || !this.#step({ type: 'serving' })) return;
    plane.handover = {
      session: (state: SessionState) => {
        plane.moved.add(state.id);
        if (successor.send({ type: 'session/handed', state })) this.#note({ sessions: this.#counted('sessions') });
      },
      socket: (socket) => {
        if (successor.send({ type: 'handover/socket' }, socket)) this.#note({ sockets: this.#counted('sockets') });
        else socket.destroy();
      },
    };
    const door = plane.doors.get(LISTENER);
    if (door) door.open = false;
    system.tell(listenerName(LISTENER), { type: 'listener/look' });
    successor.release();
    log.info({ event: 'handed_over', pid: successor.pid }, 'the successor serves; this process empties itself');
    system.urgent(DRAIN, { type: 'drain/begin', reason: 'hand-over', graceMs: 0 });
  }

  /** A session that is idle goes now, one that is busy when it no longer is. */
  #claim(id: string): void {
    const { plane, record } = this.#deps;
    const entry = plane.sessions.get(id);
    if (entry?.transport !== 'http') return void record.successor?.send({ type: 'session/unknown', id });
    if (entry.inFlight > 0) record.successor?.send({ type: 'session/busy', id });
    entry.ref.urgent({ type: 'client/hand-over', force: false });
  }

  #said(id: string, key: string, text: string): void {
    const { plane, record } = this.#deps;
    const entry = plane.sessions.get(id);
    const frame = parseFrame(text);
    if (entry?.transport === 'http' && entry.principal.key === key)
      (entry.ref as { tell(message: HttpSessionMessage): unknown }).tell({ type: 'http/said', frame });
    else record.successor?.send({ type: 'session/returned', id, key, text });
  }

  #failed(why: string): void {
    if (!this.#step({ type: 'failed' })) return;
    const { record, log } = this.#deps;
    record.successor?.kill();
    record.successor = null;
    this.#note({ error: why });
    log.error({ event: 'handover_failed', why }, `the hand-over failed, this process serves on: ${why}`);
  }

  #step(event: HandoverEvent): boolean {
    if (!this.#machine.send(event)) return false;
    this.#note({ state: this.#machine.phase });
    return true;
  }

  #counted(what: 'sessions' | 'sockets'): number {
    return (this.#deps.record.snapshot?.[what] ?? 0) + 1;
  }

  #note(part: Partial<HandoverSnapshot>): void {
    const { record } = this.#deps;
    if (record.snapshot) record.snapshot = { ...record.snapshot, ...part };
  }
}
