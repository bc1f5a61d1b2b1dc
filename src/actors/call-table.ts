/**
 * The calls that one client has outstanding. Process-free.
 *
 * Invariant: a call is in the table from the moment it is handed to its upstream until somebody takes it out, and whoever
 * takes it out answers it. So every call is answered once, and `inFlight` counts are what is in the tables.
 */
import { type Clock, type Ref, type TimerWheel } from '../kernel/index.js';
import { ERRORS, gatewayError } from '../protocol/errors.js';
import {
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
  type JsonRpcResponse,
} from '../protocol/jsonrpc.js';
import { Outstanding } from '../protocol/outstanding.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { refusal as modeRefusal } from '../vsm/policy-model.js';
import { type Channel } from '../transports/inbound/channel.js';
import { admit, breakerOpen, overloaded, transportOpen, unavailable } from './admission.js';
import { type BreakerGate, NO_TOKEN, type Outcome } from './breaker-gate.js';
import { bookAttenuated, bookEnd, bookStart, bookTaken } from './call-books.js';
import { Call, type Caller, type CallEvent, type UpstreamSessionMessage } from './call.js';
import { toolCallEvent } from './call-audit.js';
import { type DataPlane } from './data-plane.js';
import { errorType, RequestWatch } from './request-watch.js';
import { sampleTime } from './answer-times.js';
import { retryDelay } from './call-retries.js';
import { extendedBy, timedOut } from './deadlines.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Calls that one client may have outstanding. Past it a request is answered "overloaded". */
export const MAX_CALLS = 1_024;
/** A call that is older gets a sign of life on its channel when the client's heartbeat comes round. */
const QUIET_MS = 5_000;

export interface CallTableDeps {
  /** For delays. Default `Math.random`. */
  readonly random?: () => number;
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
  /** The call that this one goes on with, now that the client has given what its upstream asked for. */
  readonly after?: Call;
}

export class CallTable {
  readonly #deps: CallTableDeps;
  readonly #self: Ref<CallEvent>;
  readonly #counters: TransportCounters;
  /** The breaker of the transport that the client speaks over. */
  readonly #transport: BreakerGate;
  readonly #calls = new Outstanding<Call>();
  /** Of the client whose calls these are. */
  readonly watch: RequestWatch;

  constructor(deps: CallTableDeps, self: Ref<CallEvent>, counters: TransportCounters) {
    this.#deps = deps;
    this.#self = self;
    this.#counters = counters;
    this.#transport = deps.plane.breakers[counters.transport];
    this.watch = new RequestWatch(deps.plane);
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
    return this.#calls.values();
  }

  /** Hands a request to its upstream; returns why it cannot be. Every check is a plain memory read. */
  start(request: CallRequest): JsonRpcErrorObject | undefined {
    const { id, method, params, gate, to: asked, caller, tool, channel, renamedUri, after } = request;
    const shed = this.#shed(method, caller);
    if (shed) return this.#denied(request, shed);
    const refusal = this.#admit(gate);
    if (refusal) return this.#refused(request, refusal);
    if (asked === null) return this.#refused(request, this.#failed(unavailable(gate, this.#deps.clock)));
    const to = method === 'resources/read' ? this.#shared(request, asked) : asked;
    const progressToken = progressTokenOf(params);
    const call = new Call({
      id,
      method,
      target: after?.target ?? this.watch.target,
      params,
      replyTo: this.#self,
      gate,
      to,
      caller,
      tool,
      channel,
      progressToken,
      startedAt: after?.startedAt ?? this.watch.startedAt,
      trace: after ? after.trace : this.watch.trace,
      renamedUri,
      round: after ? after.round + 1 : 0,
    });
    call.token = gate.breaker.take();
    if (call.trace?.recorded) call.trace.measured(gate.admitted.by(gate), gate.inFlight);
    const sent = to.tell(call);
    if (sent !== 'ok') {
      this.#settle(call, 'neutral');
      const why = sent === 'full' ? overloaded(gate, 'its mailbox is full') : unavailable(gate, this.#deps.clock);
      return this.#refused(request, this.#failed(why));
    }
    this.#calls.set(id, call);
    gate.inFlight += 1;
    gate.calls += 1;
    bookStart(this.#counters, gate);
    this.#deps.plane.counters.inFlight += 1;
    if (gate.inFlight > gate.peak) gate.peak = gate.inFlight;
    this.#schedule(call, gate.deadlines.of(tool));
    return undefined;
  }

  /**
   * Whether the call's time is over. A legacy call comes due twice: the first time, while most calls are answered long
   * since, its channel is opened, so that a client that loses the connection can come back for the answer.
   */
  overdue(call: Call): boolean {
    if (call.left === 0 || this.#calls.get(call.id) !== call) return true;
    call.left = 0;
    call.channel.stillWorking();
    this.#deps.wheel.schedule(call, call.dueAt - this.#deps.clock.now());
    return false;
  }

  /** Detail and data of its `request_timeout`. */
  timedOut(call: Call): [string, JsonObject] {
    return timedOut(call);
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
    bookTaken(this.#counters);
    this.#deps.plane.counters.inFlight -= 1;
    return true;
  }

  /** Counts a call that its upstream has answered. */
  countAnswer(call: Call, answer: JsonRpcResponse): void {
    const failed = 'error' in answer && answer.error.code === ERRORS.internal_error.code;
    this.#count(call, failed ? 'failed' : 'succeeded', call.gate.failurePolicy.ofAnswer(answer), errorType(answer));
  }

  /** Counts a call that the gateway has got no answer for. */
  countFailure(call: Call, error: JsonRpcErrorObject): void {
    this.#count(call, 'failed', this.#failureOf(call, error), String(error.code), error);
  }

  /** Counts a call that failed although its upstream did what it was asked. */
  countGivenUp(call: Call, error: JsonRpcErrorObject): void {
    this.#count(call, 'failed', 'neutral', String(error.code), error);
  }

  /** Its upstream has answered with a question: the call goes on, but not there. */
  heldUp(call: Call): void {
    this.#settle(call, 'success');
  }

  /** Many calls that are lost with one session are one failure. */
  #failureOf({ gate, to, carrier, token }: Call, error: JsonRpcErrorObject): Outcome {
    const outcome = gate.failurePolicy.ofError(error);
    const session = carrier ?? to;
    if (outcome !== 'failure' || error.code !== ERRORS.upstream_lost.code || session.alive) return outcome;
    // A probe always says how it ended: another one waits for that.
    if (gate.lost.has(session) && token === NO_TOKEN) return 'neutral';
    gate.lost.add(session);
    return outcome;
  }

  #settle(call: Call, outcome: Outcome): void {
    call.gate.breaker.count(outcome, call.token);
    call.token = NO_TOKEN;
  }

  /** The same call once more, with what the client gave; returns why it cannot be. */
  retry(
    call: Call,
    params: JsonObject,
    to: Ref<UpstreamSessionMessage> | null,
    caller: Caller,
  ): JsonRpcErrorObject | undefined {
    const { id, method, gate, tool, channel, renamedUri } = call;
    const refusal = this.start({ id, method, params, gate, to, caller, tool, channel, renamedUri, after: call });
    if (refusal) this.watch.ended(call, String(refusal.code), refusal);
    return refusal;
  }

  /** Counts how a call ended. `error`: its `error.type` (see `errorType`); `failure`: the error when it is the gateway's. */
  #count(
    call: Call,
    outcome: 'succeeded' | 'failed',
    verdict: Outcome,
    error: string | null,
    failure?: JsonRpcErrorObject,
  ): void {
    this.#settle(call, verdict);
    this.#transport.count('success', NO_TOKEN);
    this.#counters[outcome] += 1;
    if (outcome === 'failed') call.gate.failures += 1;
    this.#audit(call, outcome);
    const ms = this.watch.ended(call, error, failure);
    if (failure === undefined || failure.code === ERRORS.request_timeout.code) sampleTime(call, ms);
    bookEnd(this.#deps.plane, this.#counters, call, outcome === 'succeeded', ms);
    this.#deps.plane.counters.latency.record(Math.max(1, Math.round(ms * 1_000)));
  }

  /** Plans to send a call once more that came to this; `false` when it has failed for good. */
  again(call: Call, error: JsonRpcErrorObject): boolean {
    if (!this.#plan(call, error)) return false;
    this.#settle(call, this.#failureOf(call, error));
    return true;
  }

  /** Sends it once more, or plans to; returns why neither can be. Nothing happens to a call that was answered meanwhile. */
  resend(call: Call, to: Ref<UpstreamSessionMessage> | null): JsonRpcErrorObject | undefined {
    if (this.#calls.get(call.id) !== call) return undefined;
    const { gate } = call;
    if (gate.breaker.state !== 'closed') return breakerOpen(gate, this.#deps.clock);
    call.upstreamId = 0;
    call.sentAt = 0;
    call.to = to ?? call.to;
    if (to?.tell(call) === 'ok') return undefined;
    const error = unavailable(gate, this.#deps.clock);
    return this.#plan(call, error) ? undefined : error;
  }

  #plan(call: Call, error: JsonRpcErrorObject): boolean {
    if (this.#calls.get(call.id) !== call) return false;
    const { plane, clock, wheel, random = Math.random } = this.#deps;
    const delay = retryDelay(call, error, plane.options.retries, clock.now(), random);
    if (delay === null) return false;
    call.retries += 1;
    wheel.after(delay, () => void this.#self.urgent({ type: 'call/retry', call }));
    return true;
  }

  /** Its upstream gets on with it: where that counts, its deadline begins anew. */
  progressed(call: Call): void {
    const left = extendedBy(call, this.#deps.clock.now());
    if (left > 0) this.#deps.wheel.schedule(call, left);
  }

  /** The client does not want the answer any more: the call is taken out, its upstream is told, its channel is released. */
  abandon(call: Call, reason: string): void {
    if (!this.take(call)) return;
    this.cancelUpstream(call, reason);
    this.forsake(call);
  }

  /** The same of a call that was taken out and that no upstream works on. */
  forsake(call: Call): void {
    this.watch.ended(call, 'cancelled');
    this.#audit(call, 'cancelled');
    call.channel.release();
  }

  /** Puts the end of a tool call on record: once, by whoever ended it. */
  #audit(call: Call, outcome: string): void {
    const { audit } = this.#deps.plane;
    if (!audit.enabled || call.method !== 'tools/call') return;
    audit.record(toolCallEvent(call, outcome, performance.now() - call.startedAt, audit.hashArguments));
  }

  /** Tells the upstream that nobody waits for the call any more. */
  cancelUpstream(call: Call, reason: string): void {
    call.cancelled = true;
    this.#settle(call, 'neutral');
    call.to.urgent({ type: 'call/cancel', call, reason });
  }

  /** Somebody is being asked before this session's calls can go on: people take longer than servers. */
  extend(session: Ref<UpstreamSessionMessage>, ms: number): void {
    for (const call of this.#calls.values()) {
      if (call.to !== session) continue;
      call.left = 0;
      call.asked = true;
      call.dueAt = this.#deps.clock.now() + ms;
      this.#deps.wheel.schedule(call, ms);
    }
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

  /** A legacy call first comes due when it has been quiet: see `overdue`. */
  #schedule(call: Call, timeout: number): void {
    const { openStreamAfter } = this.#deps.plane.options.requests;
    call.dueAt = this.#deps.clock.now() + timeout;
    const twice = call.caller.era === 'legacy' && openStreamAfter < timeout;
    call.left = twice ? timeout - openStreamAfter : 0;
    this.#deps.wheel.schedule(call, twice ? openStreamAfter : timeout);
  }

  /** A read that somebody else has running for the same principal is joined. */
  #shared(request: CallRequest, to: Ref<UpstreamSessionMessage>): Ref<UpstreamSessionMessage> {
    const { plane } = this.#deps;
    const { enabled, coordination } = plane.options.vsm;
    return enabled && coordination.enabled && coordination.coalesce && !request.after
      ? plane.reads.target(request, to)
      : to;
  }

  /** What S5's mode keeps out. No failure: neither the server nor time is to blame. */
  #shed(method: string, { era, principal }: Caller): JsonRpcErrorObject | undefined {
    const { viability, options } = this.#deps.plane;
    const { mode } = viability.policy;
    if (mode === 'normal') return undefined;
    const name = modeRefusal(mode, principal, method, era === 'legacy', options.vsm.policy.conserve);
    return name && gatewayError(name, viability.policy.reason, { mode });
  }

  #admit(gate: UpstreamGate): JsonRpcErrorObject | undefined {
    if (this.#calls.size >= MAX_CALLS)
      return gatewayError('overloaded', `this client has ${MAX_CALLS} requests outstanding`);
    if (this.#transport.state !== 'closed')
      return transportOpen(this.#counters.transport, this.#transport, this.#deps.clock);
    const refusal = admit(this.#deps.plane, gate, this.#deps.clock);
    return refusal && this.#failed(refusal);
  }

  #refused(request: CallRequest, error: JsonRpcErrorObject): JsonRpcErrorObject {
    bookAttenuated(this.#deps.plane, this.#counters, request, request.caller.principal.role);
    return this.#onRecord(request, error);
  }

  /** Kept out by policy: an attempt, and no demand that operations had to absorb. */
  #denied(request: CallRequest, error: JsonRpcErrorObject): JsonRpcErrorObject {
    this.#deps.plane.viability.attempts.add(this.#deps.clock.now());
    return this.#onRecord(request, error);
  }

  #onRecord(request: CallRequest, error: JsonRpcErrorObject): JsonRpcErrorObject {
    const { audit } = this.#deps.plane;
    const { gate } = request;
    // An error that names the server is on its account: a call of its that failed.
    if (isJsonObject(error.data) && error.data['server'] === gate.name) {
      gate.calls += 1;
      gate.failures += 1;
    }
    if (audit.enabled && request.method === 'tools/call') {
      const reason = isJsonObject(error.data) ? String(error.data['reason']) : 'refused';
      audit.record(toolCallEvent(request, reason, null, audit.hashArguments));
    }
    return error;
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
