/**
 * The calls that one client has outstanding. Process-free.
 *
 * Invariant: a call is in the table from the moment it is handed to its upstream until somebody takes it out, and whoever
 * takes it out answers it. So every call is answered once, and `inFlight` counts are what is in the tables.
 */
import { type Clock, type Ref, type TimerWheel } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import {
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
} from '../protocol/jsonrpc.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { type Channel } from '../transports/inbound/channel.js';
import { Call, type Caller, type CallEvent, type UpstreamSessionMessage } from './call.js';
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Calls that one client may have outstanding. Past it a request is answered "overloaded". */
export const MAX_CALLS = 1_024;
/** A legacy call that has waited this long gets its stream opened. Milliseconds. */
const OPEN_MS = 60;
/** A call that is older gets a sign of life on its channel when the client's heartbeat comes round. */
const QUIET_MS = 5_000;

export interface CallTableDeps {
  readonly plane: DataPlane;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
}

export interface CallRequest {
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params: JsonObject;
  readonly gate: UpstreamGate;
  /** The upstream session for this client; `null` when there is none now. */
  readonly to: Ref<UpstreamSessionMessage> | null;
  readonly caller: Caller;
  readonly tool?: JsonObject | undefined;
  readonly channel: Channel;
  readonly renamedUri?: { readonly own: string; readonly shown: string } | undefined;
  /** How often the upstream has asked for input before. */
  readonly round?: number;
}

export class CallTable {
  readonly #deps: CallTableDeps;
  readonly #self: Ref<CallEvent>;
  readonly #counters: TransportCounters;
  readonly #calls = new Map<JsonRpcId, Call>();

  constructor(deps: CallTableDeps, self: Ref<CallEvent>, counters: TransportCounters) {
    this.#deps = deps;
    this.#self = self;
    this.#counters = counters;
  }

  get size(): number {
    return this.#calls.size;
  }

  has(id: JsonRpcId): boolean {
    return this.#calls.has(id);
  }

  get(id: JsonRpcId): Call | undefined {
    return this.#calls.get(id);
  }

  all(): Call[] {
    return [...this.#calls.values()];
  }

  /** Hands a request to its upstream; returns why it cannot be. Every check is a plain memory read. */
  start(request: CallRequest): JsonRpcErrorObject | undefined {
    const { id, method, params, gate, to, caller, tool, channel, renamedUri, round = 0 } = request;
    const refusal = this.#admit(gate);
    if (refusal) return refusal;
    if (to === null) return this.#failed(unavailable(gate, this.#deps.clock));
    const startedAt = performance.now();
    const progressToken = progressTokenOf(params);
    const call = new Call({
      id,
      method,
      params,
      replyTo: this.#self,
      gate,
      to,
      caller,
      tool,
      channel,
      progressToken,
      startedAt,
      renamedUri,
      round,
    });
    const sent = to.tell(call);
    if (sent !== 'ok') {
      return this.#failed(
        sent === 'full' ? overloaded(gate, 'its mailbox is full') : unavailable(gate, this.#deps.clock),
      );
    }
    this.#calls.set(id, call);
    gate.inFlight += 1;
    gate.calls += 1;
    this.#deps.plane.counters.inFlight += 1;
    // A legacy call first comes due when it has been quiet: see `overdue`.
    this.#deps.wheel.schedule(
      call,
      caller.era === 'legacy' ? Math.min(OPEN_MS, gate.requestTimeout) : gate.requestTimeout,
    );
    return undefined;
  }

  /**
   * Whether the call's time is over. A legacy call comes due twice: the first time, while most calls are answered long
   * since, its channel is opened, so that a client that loses the connection can come back for the answer.
   */
  overdue(call: Call): boolean {
    const left = call.gate.requestTimeout - OPEN_MS;
    if (call.quiet || call.caller.era === 'modern' || left <= 0 || this.#calls.get(call.id) !== call) return true;
    call.quiet = true;
    call.channel.stillWorking();
    this.#deps.wheel.schedule(call, left);
    return false;
  }

  /** Takes the call out; `false` when somebody has done so before (counted). */
  take(call: Call): boolean {
    if (this.#calls.get(call.id) !== call) {
      this.#deps.plane.counters.drop('late_answer');
      return false;
    }
    this.#calls.delete(call.id);
    this.#deps.wheel.cancel(call);
    call.gate.inFlight -= 1;
    this.#deps.plane.counters.inFlight -= 1;
    return true;
  }

  /** Counts how a call ended. */
  count(call: Call, outcome: 'succeeded' | 'failed'): void {
    this.#counters[outcome] += 1;
    if (outcome === 'failed') call.gate.failures += 1;
    const microseconds = Math.round((performance.now() - call.startedAt) * 1_000);
    this.#deps.plane.counters.latency.record(Math.max(1, microseconds));
  }

  /** Tells the upstream that nobody waits for the call any more. */
  cancelUpstream(call: Call, reason: string): void {
    call.cancelled = true;
    call.to.urgent({ type: 'call/cancel', call, reason });
  }

  /** Somebody is being asked before this session's calls can go on: people take longer than servers. */
  extend(session: Ref<UpstreamSessionMessage>, ms: number): void {
    for (const call of this.#calls.values()) if (call.to === session) this.#deps.wheel.schedule(call, ms);
  }

  /** A channel on which the client hears what this upstream session has to say now: that of a call on it. */
  channelOf(session: Ref<UpstreamSessionMessage>): Channel | undefined {
    for (const call of this.#calls.values()) if (call.to === session) return call.channel;
    return undefined;
  }

  /** Lets those who wait for long see that somebody lives. */
  signOfLife(): void {
    const before = performance.now() - QUIET_MS;
    for (const call of this.#calls.values()) if (call.startedAt < before) call.channel.stillWorking();
  }

  #admit(gate: UpstreamGate): JsonRpcErrorObject | undefined {
    if (this.#calls.size >= MAX_CALLS)
      return gatewayError('overloaded', `this client has ${MAX_CALLS} requests outstanding`);
    if (gate.drainsUntil !== null) return this.#failed(drained(gate, gate.drainsUntil, this.#deps.clock));
    if (gate.inFlight >= gate.maxInFlight)
      return this.#failed(overloaded(gate, `it has ${gate.maxInFlight} calls outstanding`));
    return undefined;
  }

  #failed(error: JsonRpcErrorObject): JsonRpcErrorObject {
    this.#counters.failed += 1;
    return error;
  }
}

function progressTokenOf(params: JsonObject): JsonRpcId | undefined {
  const meta = params['_meta'];
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
  return isJsonRpcId(token) ? token : undefined;
}

function overloaded(gate: UpstreamGate, why: string): JsonRpcErrorObject {
  return gatewayError('overloaded', `upstream "${gate.name}": ${why}`, { server: gate.name });
}

function drained(gate: UpstreamGate, until: number, clock: Clock): JsonRpcErrorObject {
  const retryAfter = Math.max(1, Math.ceil((until - clock.now()) / 1_000));
  const detail = `upstream "${gate.name}" is being taken out of service`;
  return gatewayError('draining', detail, { server: gate.name, retryAfter });
}

function unavailable(gate: UpstreamGate, clock: Clock): JsonRpcErrorObject {
  const retryAfter = gate.retryAt === null ? undefined : Math.max(0, Math.ceil((gate.retryAt - clock.now()) / 1_000));
  const data = { server: gate.name, ...(retryAfter === undefined ? {} : { retryAfter }) };
  return gatewayError('upstream_unavailable', `upstream "${gate.name}": ${gate.trouble}`, data);
}
