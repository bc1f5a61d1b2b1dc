/**
 * Audit log: writes what the trail holds, a few times a second, in one append.
 *
 * Parent: vitals. Restart: permanent; a restarted one goes on with the chain that is in the file, and what waited in the
 * trail is still there.
 *
 * Invariants: nobody waits for it; a disk that will not write is a reading on the algedonic channel, and what could not be
 * written is tried again, oldest first, while the trail's bound lasts.
 */
import { type AuditEvent } from '../audit/event.js';
import { type AuditTrail, type TimedEvent } from '../audit/trail.js';
import { type AuditWriter } from '../audit/writer.js';
import { type ActorContext, type Behavior, toError } from '../kernel/index.js';
import { type AlgedonicPort } from '../vsm/reading.js';

export type AuditLogMessage = { readonly type: 'audit/flush' };

/** What consoles see. Written by the audit log. */
export interface AuditView {
  written: number;
  /** Why the last attempt failed; `null` when it did not. */
  trouble: string | null;
  head: { readonly seq: number; readonly hash: string } | null;
}

export interface AuditLogDeps {
  readonly trail: AuditTrail;
  readonly writer: AuditWriter;
  readonly view: AuditView;
  readonly algedonic: () => AlgedonicPort;
  readonly version: string;
}

const FLUSH_MS = 100;
/** Wait before a disk that refused is tried again. */
const RETRY_MS = 1_000;
/** Events in one append: bounds how long the making of it takes. */
const MAX_BATCH = 2_048;

export function auditLog(deps: AuditLogDeps) {
  return (context: ActorContext<AuditLogMessage>): Behavior<AuditLogMessage> => new AuditLog(deps, context);
}

class AuditLog implements Behavior<AuditLogMessage> {
  readonly #deps: AuditLogDeps;
  readonly #context: ActorContext<AuditLogMessage>;
  /** Taken from the trail and not written yet. Bounded: nothing more is taken while something is left. */
  #pending: TimedEvent[] = [];
  #droppedTold: number;

  constructor(deps: AuditLogDeps, context: ActorContext<AuditLogMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#droppedTold = deps.trail.dropped;
    deps.trail.record({ type: 'audit', outcome: 'started', version: deps.version, pid: process.pid });
    context.after(0, { type: 'audit/flush' });
  }

  async handle(): Promise<void> {
    const written = await this.#flush();
    this.#context.after(written ? FLUSH_MS : RETRY_MS, { type: 'audit/flush' });
  }

  async terminate(): Promise<void> {
    this.#deps.trail.record({ type: 'audit', outcome: 'stopped' });
    await this.#flush();
    await this.#deps.writer.close().catch(() => undefined);
  }

  /** Writes what waits; `false` when the disk would not. */
  async #flush(): Promise<boolean> {
    const { trail, writer, view } = this.#deps;
    if (this.#pending.length === 0) this.#pending = [...trail.takeAll(), ...this.#lost()];
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, MAX_BATCH);
      try {
        await writer.open();
        const cut = writer.takeCut();
        const events = cut === 0 ? batch : [this.#own({ type: 'audit', outcome: 'recovered', count: cut }), ...batch];
        await writer.append(events);
        this.#pending = this.#pending.slice(batch.length);
        view.written += events.length;
        view.head = writer.head;
      } catch (error) {
        this.#report(toError(error).message);
        return false;
      }
    }
    this.#report(null);
    return true;
  }

  /** Tells in the log itself that something is missing from it. */
  #lost(): TimedEvent[] {
    const count = this.#deps.trail.dropped - this.#droppedTold;
    if (count === 0) return [];
    this.#droppedTold += count;
    return [this.#own({ type: 'audit', outcome: 'dropped', count })];
  }

  #own(event: AuditEvent): TimedEvent {
    return { at: this.#context.clock.now(), event };
  }

  #report(trouble: string | null): void {
    const { view, algedonic } = this.#deps;
    view.trouble = trouble;
    algedonic().report({
      source: 'audit',
      index: 'unwritable',
      value: trouble === null ? 0 : 1,
      pain: 0.5,
      agony: 1,
      message: trouble === null ? 'the audit log is being written' : `the audit log cannot be written: ${trouble}`,
    });
  }
}
