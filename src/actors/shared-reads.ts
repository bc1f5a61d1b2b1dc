/**
 * Coalescing (S2): identical reads of one principal that run at the same time are one request to the server, and each gets
 * its answer. `resources/read` alone: it has no effect to be had twice. `tools/call` never.
 *
 * A shared read stands between the calls and the upstream session, as each other's end: to the calls it is the session, to
 * the session it is who called. No actor, no turn, no mailbox. Invariant: whoever joined and has not cancelled is answered
 * once; the server is told to cancel only when nobody waits any more.
 */
import { type Ref, type SendResult } from '../kernel/index.js';
import { Outstanding } from '../protocol/outstanding.js';
import { type Channel } from '../transports/inbound/channel.js';
import { Call, type CallEvent, type Caller, type UpstreamSessionMessage } from './call.js';
import { type UpstreamGate } from './upstream-gate.js';

/** What is read, by whom, from where. */
export interface ReadRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly gate: UpstreamGate;
  readonly caller: Caller;
}

/** Reads that run and can be joined; more run alone. */
const MAX_SHARED = 10_000;
/** A read that says more than this is not compared with others. */
const MAX_KEY = 4_096;

export class SharedReads {
  readonly #running = new Outstanding<SharedRead>();
  readonly #onJoined: () => void;

  constructor(onJoined: () => void) {
    this.#onJoined = onJoined;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Where this request goes: a read that runs already, a new one that others can join, or `to` itself. */
  target(request: ReadRequest, to: Ref<UpstreamSessionMessage>): Ref<UpstreamSessionMessage> {
    if (!isShareable(request) || !isShared(request.gate, to)) return to;
    const key = keyOf(request);
    if (key === undefined) return to;
    const running = this.#running.get(key);
    if (running && running.to === to) {
      this.#onJoined();
      return running;
    }
    if (running || this.#running.size >= MAX_SHARED) return to;
    const made = new SharedRead(to, () => {
      if (this.#running.get(key) === made) this.#running.delete(key);
    });
    this.#running.set(key, made);
    return made;
  }
}

/** A session that clients share; one that is a client's alone has nobody to share with. */
function isShared(gate: UpstreamGate, to: Ref<UpstreamSessionMessage>): boolean {
  return to === gate.session || gate.others.some(({ ref }) => ref === to);
}

/** The first round of a read by somebody whom the server cannot ask anything. */
function isShareable({ method, params, caller }: ReadRequest): boolean {
  if (method !== 'resources/read' || 'requestState' in params || 'inputResponses' in params) return false;
  return caller.era === 'legacy' || Object.keys(caller.envelope.clientCapabilities).length === 0;
}

function keyOf({ params, gate, caller }: ReadRequest): string | undefined {
  const asked = Object.entries(params).filter(([name]) => name !== '_meta');
  const key = JSON.stringify([gate.name, caller.principal.key, caller.era, asked]);
  return key.length > MAX_KEY ? undefined : key;
}

/** What is said to the one request goes to all who wait. */
const NO_CHANNEL: Channel = {
  answer: () => false,
  notify: () => false,
  release: () => undefined,
  stillWorking: () => undefined,
};

class SharedRead implements Ref<UpstreamSessionMessage | CallEvent> {
  readonly to: Ref<UpstreamSessionMessage>;
  readonly #over: () => void;
  readonly #waiting = new Set<Call>();
  #inner: Call | null = null;
  #ended = false;

  constructor(to: Ref<UpstreamSessionMessage>, over: () => void) {
    this.to = to;
    this.#over = over;
  }

  get path(): string {
    return this.to.path;
  }

  get incarnation(): number {
    return this.to.incarnation;
  }

  get backlog(): number {
    return this.to.backlog;
  }

  get alive(): boolean {
    return this.to.alive;
  }

  tell(message: UpstreamSessionMessage | CallEvent): SendResult {
    switch (message.type) {
      case 'call':
        return this.#join(message);
      case 'call/cancel':
        this.#leave(message.call, message.reason);
        return 'ok';
      case 'call/answered':
        this.#settle((call) => ({ type: 'call/answered', call, message: message.message }));
        return 'ok';
      case 'call/failed':
        this.#settle((call) => ({ type: 'call/failed', call, error: message.error }));
        return 'ok';
      case 'call/notified': {
        const { method, params } = message;
        for (const call of this.#waiting) {
          if (method === 'notifications/progress' && call.progressToken === undefined) continue;
          call.replyTo.tell({ type: 'call/notified', call, method, params });
        }
        return 'ok';
      }
      default:
        return 'ok'; // what else is said to a session is not said through a call
    }
  }

  urgent(message: UpstreamSessionMessage | CallEvent): SendResult {
    return this.tell(message);
  }

  answer(message: UpstreamSessionMessage | CallEvent): SendResult {
    return this.tell(message);
  }

  accept(message: UpstreamSessionMessage | CallEvent): SendResult {
    return this.tell(message);
  }

  #join(call: Call): SendResult {
    if (this.#inner !== null) {
      if (this.#ended) return this.to.tell(call); // cannot be: it is off the list
      this.#waiting.add(call);
      return 'ok';
    }
    this.#inner = new Call({
      id: call.id,
      method: call.method,
      target: call.target,
      params: call.params,
      replyTo: this,
      gate: call.gate,
      to: this.to,
      caller: call.caller,
      tool: call.tool,
      channel: NO_CHANNEL,
      progressToken: call.progressToken,
      startedAt: call.startedAt,
    });
    const sent = this.to.tell(this.#inner);
    if (sent === 'ok') this.#waiting.add(call);
    else this.#end();
    return sent;
  }

  #leave(call: Call, reason: string): void {
    if (!this.#waiting.delete(call) || this.#waiting.size > 0 || this.#inner === null) return;
    this.#end();
    this.#inner.cancelled = true;
    this.to.urgent({ type: 'call/cancel', call: this.#inner, reason });
  }

  #settle(event: (call: Call) => CallEvent): void {
    if (this.#ended) return;
    this.#end();
    for (const call of this.#waiting) call.replyTo.answer(event(call));
    this.#waiting.clear();
  }

  #end(): void {
    this.#ended = true;
    this.#over();
  }
}
