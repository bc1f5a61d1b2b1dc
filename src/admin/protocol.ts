/**
 * What the gateway tells its consoles (CLI, terminal dashboard, web dashboard) and what they may ask.
 *
 * Wire: a Unix socket of mode 0600, one JSON object a line, UTF-8. A console sends `AdminRequest`s; each gets exactly
 * one `AdminResponse` with the same `id`. A `watch`, or a `logs` or `drain` request with `follow`, is answered once and then followed
 * by `AdminEvent`s with that id until the console closes the connection or sends `cancel`. Consoles number their
 * requests from 1; a line with no readable id is answered with id 0. A console that reads too slowly misses events:
 * of snapshots it gets the newest one, of log lines it is told how many it missed.
 *
 * These types are the only thing that consoles know of the gateway. Times are milliseconds since the Unix epoch unless
 * a name says otherwise; a figure with no samples is `null` and is drawn as `–`.
 */
import { type PoolSnapshot } from './snapshot/pool.js';

import type { BreakerSnapshot, BreakerState } from './snapshot/breakers.js';
import type { ConcurrencySnapshot, RetriesSnapshot } from './snapshot/load.js';

export type * from './snapshot/breakers.js';
export type * from './snapshot/load.js';
import { type AuditSnapshot } from './snapshot/audit.js';
import { type AuthSnapshot } from './snapshot/auth.js';
import { type DrainSnapshot } from './snapshot/drains.js';
import { type HandoverSnapshot } from './snapshot/handover.js';
import { type FeatureSnapshot } from './snapshot/features.js';
import { type TracesSnapshot } from './snapshot/traces.js';
import { type SamplingState, type TelemetrySnapshot } from './snapshot/telemetry.js';
import { type PinningSnapshot, type ToolDifference, type ToolPin } from './snapshot/tools.js';
import { type PolicyCheck, type PolicyDetails, type RulesSnapshot } from './snapshot/policy.js';
import { type AlarmSnapshot, type AlarmsSnapshot, type PolicySnapshot, type VsmSnapshot } from './snapshot/vsm.js';

export { type HandoverSnapshot, type HandoverState } from './snapshot/handover.js';
export { type DrainSnapshot, type DrainState, type DrainTarget } from './snapshot/drains.js';

export interface AdminRequest {
  readonly id: number;
  readonly method: AdminMethod;
  readonly params?: Readonly<Record<string, unknown>>;
}

export type AdminMethod =
  | 'status' // → GatewaySnapshot
  | 'tree' // → SupervisionNode (the root)
  | 'connections' // → readonly ConnectionSnapshot[]
  | 'upstreams' // → readonly UpstreamSnapshot[]
  | 'actors' // {actor?} → readonly AdminActor[]        (what `send --list` prints)
  | 'send' // {actor, message, args?} → unknown (the actor's own answer)
  | 'kill' // {actor, forGood?} → {killed: string}
  | 'restart' // {actor} → {restarted: string}
  | 'drain' // {target?, timeoutMs?, graceMs?, follow?} → DrainSnapshot; events: DrainSnapshot, until it has ended
  | 'cancel-drain' // {target?} → DrainSnapshot
  | 'upgrade' // {exec?, config?, timeoutMs?} → HandoverSnapshot   (begins; progress is in the snapshot)
  | 'force-shutdown' // → {stopping: true}
  | 'logs' // {lines?, level?, follow?} → readonly LogLine[]; events: LogLine
  | 'watch' // {intervalMs?} → GatewaySnapshot; events: GatewaySnapshot, or WatchEnded as the last
  | 'alarms' // → AlarmsSnapshot
  | 'ack' // {id} → AlarmSnapshot
  | 'login-begin' // {server, redirectUri, state} → {url}
  | 'login-finish' // {server, state, code, iss?} → {loggedIn}
  | 'tools' // {server?} → readonly ToolPin[]
  | 'tools-diff' // {name} → ToolDifference
  | 'tools-accept' // {name} → {accepted}
  | 'tools-lock' // → {locked, file}
  | 'policy' // → PolicyDetails
  | 'policy-check' // {tool | prompt | resource, role?, claims?, …} → PolicyCheck
  | 'policy-mode' // {mode?} → PolicySnapshot
  | 'features' // {action?, name?, windowMs?} → readonly FeatureSnapshot[]
  | 'sampling' // {rate?} → SamplingState
  | 'traces' // {limit?} → TracesSnapshot
  | 'cancel'; // {id} → {cancelled: boolean}

export type AdminResponse =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: AdminError };

/** What a handler answers: a response without its `id`, which the server adds. */
export type AdminReply =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: AdminError };

/** The result of each method, by name. */
export interface AdminResults {
  readonly status: GatewaySnapshot;
  readonly tree: SupervisionNode;
  readonly connections: readonly ConnectionSnapshot[];
  readonly upstreams: readonly UpstreamSnapshot[];
  readonly actors: readonly AdminActor[];
  readonly send: unknown;
  readonly kill: { readonly killed: string };
  readonly restart: { readonly restarted: string };
  readonly drain: DrainSnapshot;
  readonly 'cancel-drain': DrainSnapshot;
  readonly upgrade: HandoverSnapshot;
  readonly 'force-shutdown': { readonly stopping: true };
  readonly logs: readonly LogLine[];
  readonly watch: GatewaySnapshot;
  readonly alarms: AlarmsSnapshot;
  readonly ack: AlarmSnapshot;
  readonly 'login-begin': { readonly url: string };
  readonly 'login-finish': { readonly loggedIn: string };
  readonly tools: readonly ToolPin[];
  readonly 'tools-diff': ToolDifference;
  readonly 'tools-accept': { readonly accepted: boolean };
  readonly 'tools-lock': { readonly locked: number; readonly file: string | null };
  readonly policy: PolicyDetails;
  readonly 'policy-check': PolicyCheck;
  readonly 'policy-mode': PolicySnapshot;
  readonly features: readonly FeatureSnapshot[];
  readonly sampling: SamplingState;
  readonly traces: TracesSnapshot;
  readonly cancel: { readonly cancelled: boolean };
}

export interface AdminEvent {
  readonly id: number;
  readonly event: unknown;
}

export interface AdminError {
  /** Stable, from the error catalogue: `unknown_method`, `unknown_actor`, `ambiguous_actor`, `invalid_arguments`, … */
  readonly code: string;
  /** One sentence that says what to do. */
  readonly message: string;
  /** Near misses for a name that does not exist. */
  readonly suggestions?: readonly string[];
}

/** Nothing more is watched on this stream, and why: dashboards were switched off. */
export interface WatchEnded {
  readonly ended: AdminError;
}

/** Client transports, in the order in which consoles show them. */
export const CLIENT_TRANSPORTS = ['http', 'sse', 'websocket'] as const;
/** `http` = Streamable HTTP session (with or without its GET stream), `sse` = HTTP+SSE, `websocket` = WebSocket. */
export type ClientTransport = (typeof CLIENT_TRANSPORTS)[number];

/** All ways in which requests come in: those of clients, and the messages that the program around the gateway routes itself. */
export const REQUEST_TRANSPORTS = [...CLIENT_TRANSPORTS, 'in-process'] as const;
/** `in-process` has no connections and no breaker, and is shown once it has been used. */
export type RequestTransport = (typeof REQUEST_TRANSPORTS)[number];

/** Everything a dashboard draws, taken at one instant. */
export interface GatewaySnapshot {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly url: string;
  readonly takenAt: number;
  readonly startedAt: number;
  readonly phase: GatewayPhase;
  /** The gateway's own, while it drains. */
  readonly drain: DrainSnapshot | null;
  /** All that run, and the last that have ended. Newest last. */
  readonly drains: readonly DrainSnapshot[];
  /** To a successor; `null` while there was none. */
  readonly handover: HandoverSnapshot | null;
  readonly connections: ConnectionCounts;
  readonly throughput: Throughput;
  readonly errors: readonly TransportErrorRate[];
  readonly requests: RequestTotals;
  readonly drops: readonly DropCount[];
  readonly upstreams: readonly UpstreamSnapshot[];
  /** Those of upstreams, then those of the client transports. */
  readonly breakers: readonly BreakerSnapshot[];
  readonly alarms: AlarmsSnapshot;
  readonly vsm: VsmSnapshot;
  readonly tree: SupervisionNode;
  readonly process: ProcessFigures;
  readonly config: ConfigState;
  readonly auth: AuthSnapshot;
  readonly audit: AuditSnapshot | null;
  readonly telemetry: TelemetrySnapshot;
  readonly rules: RulesSnapshot;
  readonly pinning: PinningSnapshot;
}

/** `lame_duck`: it serves and accepts, and answers that it is not ready. */
export type GatewayPhase = 'starting' | 'running' | 'lame_duck' | 'draining' | 'stopping';

export interface ConnectionCounts {
  readonly total: number;
  readonly byTransport: Readonly<Record<ClientTransport, number>>;
  /** Open TCP sockets of the HTTP listener. */
  readonly sockets: number;
}

export interface Throughput {
  /** Messages in each of the last 60 whole seconds, oldest first; both directions, client side. Fewer right after start. */
  readonly perSecond: readonly number[];
  readonly messagesTotal: number;
}

/** facts: 100·F/(S+F) over the window; `percent` is null without samples. */
export interface TransportErrorRate {
  readonly transport: RequestTransport;
  readonly percent: number | null;
  readonly samples: number;
}

export interface RequestTotals {
  readonly inFlight: number;
  readonly answered: number;
  readonly failed: number;
  /** Milliseconds over the last 60 s, `null` without samples. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Something thrown away, counted by reason (`dead_letter`, `mailbox_full`, `unknown_response_id`, …). */
export interface DropCount {
  readonly reason: string;
  readonly count: number;
}

/** States of `src/machines/upstream.ts`. */
export type UpstreamState = 'connecting' | 'initializing' | 'ready' | 'backoff' | 'disabled' | 'stopped';

export interface UpstreamSnapshot {
  readonly name: string;
  readonly transport: 'stdio' | 'http' | 'sse' | 'ws';
  /** Command line or URL, without secrets. */
  readonly target: string;
  readonly state: UpstreamState;
  readonly since: number;
  readonly breaker: BreakerState;
  /** Negotiated protocol version, `null` before the first handshake. */
  readonly protocolVersion: string | null;
  readonly serverInfo: { readonly name: string; readonly version: string } | null;
  readonly pid: number | null;
  readonly tools: number;
  readonly prompts: number;
  readonly resources: number;
  readonly resourceTemplates: number;
  readonly inFlight: number;
  readonly calls: number;
  readonly failures: number;
  /** Successful handshakes after the first. */
  readonly reconnects: number;
  /** When the next attempt begins, in state `backoff`. */
  readonly retryAt: number | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  readonly junkBytes: number;
  readonly concurrency: ConcurrencySnapshot;
  readonly retries: RetriesSnapshot;
  readonly pool: PoolSnapshot;
}

export interface ConnectionSnapshot {
  /** Actor path, for `kill` and `send`. */
  readonly actor: string;
  readonly transport: ClientTransport;
  readonly sessionId: string | null;
  /** `sub` of its token; `null` when nobody was authenticated. */
  readonly principal: string | null;
  readonly role: string | null;
  readonly remote: string;
  /** `name/version` of the client's `clientInfo`, stripped of control characters. */
  readonly client: string | null;
  readonly protocolVersion: string | null;
  /** `/mcp`, or `/mcp/s/<upstream>`. */
  readonly route: string;
  readonly openedAt: number;
  readonly lastSeenAt: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes that wait in the gateway for the client to read. */
  readonly unread: number;
  readonly inFlight: number;
  readonly streaming: boolean;
}

/** One node of the live supervision tree. */
export interface SupervisionNode {
  /** Path from the root, `/operations/upstreams/upstream:memory`. */
  readonly path: string;
  readonly id: string;
  readonly kind: 'supervisor' | 'actor';
  /** Supervisors only. */
  readonly strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'dynamic' | 'partitioned';
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped' | 'restarting' | 'failed';
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: { readonly urgent: number; readonly normal: number };
  readonly handled: number;
  readonly startedAt: number;
  readonly lastFault: { readonly at: number; readonly message: string } | null;
  /** Children in start order. A partitioned supervisor lists at most `childrenShown`; `childCount` is the truth. */
  readonly childCount: number;
  readonly children: readonly SupervisionNode[];
}

export interface ProcessFigures {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly cpuPercent: number | null;
  /** Event-loop delay over the last second, milliseconds. */
  readonly loopDelayP99: number | null;
}

export interface ConfigState {
  readonly file: string | null;
  readonly loadedAt: number;
  readonly version: number;
  /** Why the newest version of the file was refused; `null` when the running configuration is the file's. */
  readonly rejected: string | null;
}

export interface AdminActor {
  readonly path: string;
  readonly messages: readonly AdminMessageInfo[];
}

export interface AdminMessageInfo {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of `args`; absent when it takes none. */
  readonly args?: unknown;
}

/** Least to most severe. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  readonly at: number;
  readonly level: LogLevel;
  readonly event: string | null;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
