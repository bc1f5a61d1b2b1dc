/**
 * What a pool must not forget when its actor crashes: which workers live and who holds them, and its counts. Plain memory,
 * written by the pool alone; consoles read the figures.
 */
import { type PoolSnapshot } from '../admin/snapshot/pool.js';
import { type ServerConfig } from '../config/types.js';
import { type Ref } from '../kernel/index.js';
import { type Ledger } from '../machines/pool.js';
import { type Lease } from './lease.js';
import { type UpstreamGate } from './upstream-gate.js';
import { type UpstreamSessionInbox } from './upstream-session.js';

export interface WorkerEntry {
  readonly id: number;
  readonly ref: Ref<UpstreamSessionInbox>;
  readonly bornAt: number;
  readonly key: string | null;
  /** Who holds it; `null` while nobody does. */
  readonly lease: Lease | null;
}

/** Milliseconds over which waits are told, and how many are kept. */
const WINDOW_MS = 60_000;
const MAX_WAITS = 512;

export class PoolBook {
  readonly workers = new Map<number, WorkerEntry>();
  /** An operator's word. */
  draining = false;
  checkouts = 0;
  timeouts = 0;
  /** Checkouts that were refused at once, because too many waited. */
  refused = 0;
  /** Workers that ended although nobody told them to. */
  lost = 0;
  /** Of the sessions that are leased, without those that clients share. */
  ledger: Ledger = { available: 0, vacant: 0, inUse: 0, overflow: 0, waiting: 0 };
  #waits: { readonly at: number; readonly ms: number }[] = [];

  heldBy(lease: Lease): WorkerEntry | undefined {
    for (const entry of this.workers.values()) if (entry.lease === lease) return entry;
    return undefined;
  }

  /** Nobody holds this worker any more. */
  release(entry: WorkerEntry): void {
    if (entry.lease?.worker === entry.ref) entry.lease.worker = null;
    this.workers.set(entry.id, { ...entry, lease: null });
  }

  /** A checkout was served after this wait. */
  waited(ms: number, now: number): void {
    this.#waits.push({ at: now, ms });
    if (this.#waits.length > MAX_WAITS) this.#waits.shift();
  }

  /** 99th percentile of the waits of the last minute (of at most 512), milliseconds; `null` without samples. */
  waitP99(now: number): number | null {
    const recent = this.#waits.filter(({ at }) => now - at < WINDOW_MS).map(({ ms }) => ms);
    recent.sort((a, b) => a - b);
    return recent[Math.ceil(recent.length * 0.99) - 1] ?? null;
  }
}

/** What consoles are shown of the pool: its leases, and the sessions that clients share. */
export function poolSnapshot(config: ServerConfig, gate: UpstreamGate, book: PoolBook, now: number): PoolSnapshot {
  const { size, overflow: maxOverflow, shared } = config.pool;
  const loads = [...(gate.session?.alive ? [gate.sessionLoad] : []), ...gate.others.map(({ load }) => load)];
  const busy = loads.filter(({ calls }) => calls > 0).length;
  const { available, vacant, inUse, overflow, waiting } = book.ledger;
  return {
    size,
    maxOverflow,
    available: available + loads.length - busy,
    vacant: vacant + Math.max(0, shared - loads.length),
    inUse: inUse + busy,
    overflow: overflow + Math.max(0, loads.length - shared),
    waiting,
    limit: gate.allowance.sessions(now),
    utilisation: (inUse + busy) / (size + maxOverflow),
    checkouts: book.checkouts,
    timeouts: book.timeouts,
    refused: book.refused,
    lost: book.lost,
    waitP99: book.waitP99(now),
  };
}
