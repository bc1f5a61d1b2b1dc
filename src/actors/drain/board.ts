/**
 * Every drain that runs, and how the last ones ended: plain memory. Each record is written by its drain actor alone and
 * outlives a crash of it; consoles read it.
 */
import { type DrainSnapshot, type DrainTarget } from '../../admin/protocol.js';
import { type DrainOutcome, type DrainPhase } from '../../machines/drain.js';

export interface DrainRecord {
  readonly id: string;
  readonly target: DrainTarget;
  readonly reason: string;
  readonly startedAt: number;
  readonly graceUntil: number;
  readonly deadlineAt: number;
  readonly connectionsAtStart: number;
  phase: DrainPhase;
  outcome: DrainOutcome | null;
  endedAt: number | null;
  connectionsLeft: number;
  inFlight: number;
  /** When clients are told next. */
  noticeAt: number;
  /** When something was last seen to finish. */
  progressAt: number;
  stalled: boolean;
  /** Until when the clients may take to go, once it closes. */
  closeUntil: number | null;
}

/** Ended drains that are remembered. */
const MAX_ENDED = 16;

export class DrainBoard {
  readonly #records = new Map<string, DrainRecord>();
  readonly #listeners = new Set<(snapshot: DrainSnapshot) => void>();

  get(id: string): DrainRecord | undefined {
    return this.#records.get(id);
  }

  /** The record of one that has not ended. */
  running(id: string): DrainRecord | undefined {
    const record = this.#records.get(id);
    return record?.endedAt === null ? record : undefined;
  }

  all(): IterableIterator<DrainRecord> {
    return this.#records.values();
  }

  /** Newest last. */
  put(record: DrainRecord): void {
    this.#records.delete(record.id);
    this.#records.set(record.id, record);
    const ended = [...this.#records.values()].filter(({ endedAt }) => endedAt !== null);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#records.delete(id);
  }

  forget(id: string): void {
    this.#records.delete(id);
  }

  /** Says that a record has changed. */
  changed(record: DrainRecord): void {
    for (const listener of this.#listeners) listener(drainSnapshot(record));
  }

  /** Calls back with every change, until the answer is called. */
  follow(listener: (snapshot: DrainSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  snapshot(id: string): DrainSnapshot | undefined {
    const record = this.#records.get(id);
    return record && drainSnapshot(record);
  }

  snapshots(): DrainSnapshot[] {
    return [...this.#records.values()].map(drainSnapshot);
  }
}

export function drainSnapshot(record: DrainRecord): DrainSnapshot {
  return {
    id: record.id,
    target: record.target,
    state: record.phase,
    outcome: record.endedAt === null && record.phase !== 'closing' ? null : record.outcome,
    reason: record.reason,
    startedAt: record.startedAt,
    graceUntil: record.graceUntil,
    deadlineAt: record.deadlineAt,
    endedAt: record.endedAt,
    connectionsAtStart: record.connectionsAtStart,
    connectionsLeft: record.connectionsLeft,
    inFlight: record.inFlight,
    stalled: record.stalled,
  };
}
