/**
 * What the data path knows of an upstream: a handful of plain fields that it reads without asking anybody.
 *
 * Written by the upstream's own actors (lifecycle fields) and by the client sessions (load fields), read by all. One
 * object for each configured upstream, for as long as it is configured, whatever happens to its actors.
 */
import { type Ref } from '../kernel/index.js';
import { type NameFilter } from '../protocol/globs.js';
import { RetryBudget } from '../machines/retry-budget.js';
import { Admitted } from './admitted.js';
import { AnswerBook } from './answer-times.js';
import { BreakerGate } from './breaker-gate.js';
import { type FailurePolicy, NOTHING_FAILS } from './outcomes.js';
import { type UpstreamSessionMessage } from './call.js';
import { Allowance } from '../vsm/lease.js';
import { UnitLedger } from '../vsm/unit-model.js';
import { type ClientMessage } from './client-message.js';
import { Deadlines } from './deadlines.js';
import { type Lease } from './lease.js';
import { type PoolRequest } from './pool-messages.js';

/**
 * Who shares an upstream session. `auto`: clients that a server may ask something (they declared sampling, elicitation or
 * roots) have one each, the others share one. `shared`: all share one, and no server can ask. `session`: one each, for
 * servers that keep state by session. `principal`: all clients of one principal share one, and nobody else has it.
 */
export type Sharing = 'auto' | 'shared' | 'session' | 'principal';

/** legacy: 2024-11-05 … 2025-11-25, sessions. modern: 2026-07-28, stateless. */
export type Era = 'legacy' | 'modern';

/** Calls that one session has sent and waits for. Written by the session. */
export interface SessionLoad {
  calls: number;
}

/** A session that clients share, besides the first. */
export interface SharedSession {
  readonly ref: Ref<UpstreamSessionMessage>;
  readonly load: SessionLoad;
}

/** How what a server offers will be named, before it has listed anything. */
export interface Awaited {
  /** The prefix that its configuration asks for, if any. */
  readonly prefix: string | undefined;
  /** Own names of tools that its configuration lets through. */
  readonly toolFilter: NameFilter;
}

export class UpstreamGate {
  readonly name: string;
  /** `null` while it is switched off: then nobody waits for it. Written by the lifecycle. */
  awaited: Awaited | null = null;
  /** The session that takes calls; `null` while there is none. */
  session: Ref<UpstreamSessionMessage> | null = null;
  /** One line that says why there is no session, for errors and consoles. */
  trouble = 'not connected yet';
  /** Epoch milliseconds of the next connection attempt, `null` when none is planned. */
  retryAt: number | null = null;
  /** Of the session that takes calls. */
  sessionLoad: SessionLoad = { calls: 0 };
  /** Sessions that share the calls with the first. Written by the pool. */
  others: readonly SharedSession[] = [];
  sharing: Sharing = 'auto';
  /** Who gives out sessions that are not shared by all; `null` while it restarts. Written by the pool. */
  pool: Ref<PoolRequest> | null = null;
  /** Leases that the clients of one principal share, by their key. Written by the clients. */
  readonly jointLeases = new Map<string, Lease>();
  /** Makes the key of a lease that is one client's unique. */
  leasesMade = 0;
  /** The most verbose level of log messages that clients ask for; `null` while none does. */
  logLevel: string | null = null;
  /** Of the server that answers now. */
  era: Era = 'legacy';
  /** Own URI → the sessions that subscribe to it, each with the URI that it knows. */
  readonly subscriptions = new Map<string, Map<Ref<ClientMessage>, string>>();
  readonly breaker = new BreakerGate();
  /** Kept by the client sessions, for traces. */
  readonly admitted = new Admitted();
  /** How the end of a call counts for the breaker. Written by the lifecycle. */
  failurePolicy: FailurePolicy = NOTHING_FAILS;
  /** Sessions with which calls were lost: those of one count as one failure. Written by the client sessions. */
  readonly lost = new WeakSet<Ref<UpstreamSessionMessage>>();
  /** What S3 has granted it: calls, their rate, and sessions of its pool, which heeds it when one is wanted. */
  readonly allowance = new Allowance();
  /** Its books, as an S1 unit. Written by the client sessions. */
  readonly ledger = new UnitLedger();
  /** It takes no new calls until then, while those that run finish; `null` while it is not drained. Written by its drain. */
  drainsUntil: number | null = null;
  /** Calls sent and not yet answered. */
  inFlight = 0;
  /** Calls for it, those that were refused because of it included. */
  calls = 0;
  /** Of these, those that ended with an error of the gateway's or an internal one of its own. */
  failures = 0;
  /** The adaptive limit below `maxInFlight`. Written by the concurrency actor. */
  limit = Infinity;
  /** What its last look said, `null` when there was too little to say anything. */
  gradient: number | null = null;
  /** The most calls at a time since that look. Written by the client sessions, set anew by the actor. */
  peak = 0;
  /** How long it took to answer since that look. Likewise. */
  readonly answers = new AnswerBook();
  /** Calls that the adaptive limit has kept out. */
  overLimit = 0;
  /** How long calls may take. Written by the lifecycle. */
  deadlines: Deadlines;
  /** Calls that were sent once more, and those that were not because there had been too many. Written by the client sessions. */
  retries = 0;
  retriesRefused = 0;
  readonly retryBudget = new RetryBudget();
  /** Bound of `inFlight`; past it a call is answered "overloaded" at once. */
  maxInFlight: number;

  constructor(name: string, maxInFlight: number, requestTimeout: number) {
    this.name = name;
    this.maxInFlight = maxInFlight;
    this.deadlines = new Deadlines({ request: requestTimeout, tools: {}, progress: false, max: requestTimeout });
  }

  /** The shared session with the fewest calls; `null` while there is none. */
  route(): Ref<UpstreamSessionMessage> | null {
    const { session, others } = this;
    if (others.length === 0 || session === null) return session;
    let best = session;
    let least = this.sessionLoad.calls + session.backlog;
    for (const { ref, load } of others) {
      const calls = load.calls + ref.backlog;
      if (calls >= least || !ref.alive) continue;
      best = ref;
      least = calls;
    }
    return best;
  }
}
