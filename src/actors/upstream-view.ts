/** What consoles see of an upstream: its lifecycle's notes and its gate, put together without asking anybody. */
import { type UpstreamSnapshot } from '../admin/protocol.js';
import { type ServerConfig } from '../config/types.js';
import { type RetryBudgetRules } from '../machines/retry-budget.js';
import { type UpstreamPhase } from '../machines/upstream.js';
import { type Listing } from '../routing/routing-table.js';
import { describeTarget } from '../transports/outbound/create.js';
import { PoolBook, poolSnapshot } from './pool-book.js';
import { type UpstreamGate } from './upstream-gate.js';
import { type ServerFacts } from './upstream-handshake.js';

/** What consoles see of an upstream besides its gate. Written by its lifecycle actor, `pool` by its pool. */
export interface UpstreamView {
  phase: UpstreamPhase | 'stopped';
  since: number;
  /** Since when it takes no calls; `null` while it does. */
  downSince: number | null;
  facts: ServerFacts | null;
  listing: Listing | null;
  pid: number | null;
  reconnects: number;
  lastError: { readonly at: number; readonly message: string } | null;
  junkBytes: number;
  /** An operator's last word; `null`: as configured. Kept here, so that a crash of the lifecycle does not undo it. */
  disabled: boolean | null;
  /** Of its pool. */
  readonly pool: PoolBook;
}

export function newUpstreamView(now: number): UpstreamView {
  return {
    phase: 'connecting',
    since: now,
    downSince: now,
    facts: null,
    listing: null,
    pid: null,
    reconnects: 0,
    lastError: null,
    junkBytes: 0,
    disabled: null,
    pool: new PoolBook(),
  };
}

/** What consoles are shown of an upstream. */
export function upstreamSnapshot(
  config: ServerConfig,
  gate: UpstreamGate,
  view: UpstreamView,
  now: number,
  retries: RetryBudgetRules,
): UpstreamSnapshot {
  const { listing, facts } = view;
  return {
    name: config.name,
    transport: config.target.transport,
    target: describeTarget(config.target),
    state: view.phase,
    since: view.since,
    breaker: gate.breaker.state,
    protocolVersion: facts?.protocolVersion ?? null,
    serverInfo: facts?.serverInfo ?? null,
    pid: view.pid,
    tools: listing?.tools.length ?? 0,
    prompts: listing?.prompts.length ?? 0,
    resources: listing?.resources.length ?? 0,
    resourceTemplates: listing?.resourceTemplates.length ?? 0,
    inFlight: gate.inFlight,
    calls: gate.calls,
    failures: gate.failures,
    reconnects: view.reconnects,
    retryAt: view.phase === 'backoff' ? gate.retryAt : null,
    lastError: view.lastError,
    junkBytes: view.junkBytes,
    concurrency: {
      limit: Math.floor(Math.min(gate.limit, gate.maxInFlight)),
      max: gate.maxInFlight,
      gradient: gate.gradient,
      refused: gate.overLimit,
    },
    retries: {
      sent: gate.retries,
      refused: gate.retriesRefused,
      budget: Math.floor(gate.retryBudget.left(gate.calls, now, retries)),
    },
    pool: poolSnapshot(config, gate, view.pool, now),
  };
}
