/**
 * What a server says of its own accord, taken to whom it concerns: the caller, the one client of the session, the
 * subscribers, or every session that sees the server. Process-free.
 *
 * Source: MCP specification, "Base Protocol › Utilities", "Server Features", "Client Features".
 */
import { type ActorSystem, type Ref } from '../kernel/index.js';
import { gatewayError, modernError } from '../protocol/errors.js';
import { isJsonObject, isJsonRpcId, type JsonObject, type JsonRpcId } from '../protocol/jsonrpc.js';
import { SERVER_NOTIFICATIONS, SERVER_REQUESTS } from '../protocol/methods.js';
import { CLIENT_CAPABILITIES_KEY } from '../protocol/modern/meta.js';
import { stripControl } from '../protocol/text.js';
import { type Counters } from '../telemetry/counters.js';
import { type Call, type CallEvent, type ServerAnswer, type ServerEvent } from './call.js';
import { type Lease, type LeaseMember } from './lease.js';
import { REGISTRY } from './names.js';
import { type PendingRequests } from './pending-requests.js';
import { subscribersOf } from './resource-updates.js';
import { type UpstreamGate } from './upstream-gate.js';

export interface VoiceDeps {
  readonly system: ActorSystem;
  readonly server: string;
  readonly gate: UpstreamGate;
  /** Who holds the session, of one that is leased. */
  readonly lease: () => Lease | null;
  readonly counters: Counters;
  readonly pending: PendingRequests;
  readonly listChanged: () => void;
  readonly answer: (answer: ServerAnswer) => void;
}

export class UpstreamVoice {
  readonly #deps: VoiceDeps;

  constructor(deps: VoiceDeps) {
    this.#deps = deps;
  }

  notification(method: string, params: JsonObject): void {
    if (method === 'notifications/subscriptions/acknowledged') return; // what is not honoured simply does not come
    switch (SERVER_NOTIFICATIONS.get(method)?.method) {
      case 'notifications/progress':
        return this.#progress(method, params);
      case 'notifications/message':
        return this.#logMessage(method, params);
      case 'notifications/tools/list_changed':
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
        return this.#deps.listChanged();
      case 'notifications/resources/updated':
        return this.#resourceUpdated(params);
      case 'notifications/cancelled':
        return this.#cancelled(params);
      case 'notifications/elicitation/complete':
        return this.#forClient({ type: 'server/notified', method, params });
      case undefined:
        return this.#deps.counters.drop('unroutable_notification');
    }
  }

  /** Whoever holds the session is asked; over a shared one nobody can be meant. */
  request(id: JsonRpcId, method: string, params: JsonObject): void {
    const { answer, counters } = this.#deps;
    const lease = this.#deps.lease();
    const capability = SERVER_REQUESTS.get(method)?.capability;
    const asked = lease && capability !== undefined ? this.#whomToAsk(lease, capability) : undefined;
    if (method === 'ping') {
      answer({ id, result: {} });
    } else if (lease && asked) {
      asked.answer({ type: 'server/requested', from: lease, id, method, params });
    } else if (!asked && lease?.terms.joint !== false && method === 'roots/list') {
      answer({ id, result: { roots: [] } });
    } else {
      counters.drop('refused_server_request');
      if (capability !== undefined) this.#missing(capability);
      const detail = `${stripControl(method, 80)}: no client of this session can be asked`;
      answer({ id, error: gatewayError('method_not_found', detail) });
    }
  }

  /** Of several clients, the one whose calls alone run, if it can be asked. */
  #whomToAsk({ terms, members }: Lease, capability: string): LeaseMember | undefined {
    if (!terms.joint) {
      const [only] = members;
      return capability in terms.capabilities ? only : undefined;
    }
    const callers = new Map<Ref<CallEvent>, Call>();
    for (const call of this.#deps.pending.calls()) callers.set(call.replyTo, call);
    const [only, ...others] = callers.values();
    if (only === undefined || others.length > 0 || !declares(only, capability)) return undefined;
    for (const member of members) if (member === only.replyTo) return member;
    return undefined;
  }

  /** Where only one modern call can have caused the question, its client learns what it would have to declare. */
  #missing(capability: 'sampling' | 'elicitation' | 'roots'): void {
    const [call, ...others] = this.#deps.pending.calls();
    if (call?.caller.era !== 'modern' || others.length > 0) return;
    this.#deps.pending.take(call.upstreamId);
    const data = { requiredCapabilities: { [capability]: {} } };
    call.replyTo.answer({
      type: 'call/failed',
      call,
      error: modernError('missing_client_capability', undefined, data),
    });
  }

  #progress(method: string, params: JsonObject): void {
    const call = this.#deps.pending.call(params['progressToken']);
    // A server that takes our id for a token must not bring progress to a client that wanted none.
    if (call?.progressToken === undefined) return this.#deps.counters.drop('unroutable_notification');
    this.#tellCaller(call.replyTo, { type: 'call/notified', call, method, params });
  }

  /** Goes to the clients whose calls run here; while none does, to every client that sees this server. */
  #logMessage(method: string, params: JsonObject): void {
    const told = new Set<Ref<CallEvent>>();
    for (const call of this.#deps.pending.calls()) {
      if (told.has(call.replyTo)) continue;
      told.add(call.replyTo);
      this.#tellCaller(call.replyTo, { type: 'call/notified', call, method, params });
    }
    const { system, server } = this.#deps;
    if (told.size > 0) return;
    if (this.#deps.lease()) this.#forClient({ type: 'server/notified', method, params });
    else system.tell(REGISTRY, { type: 'registry/log-message', server, params });
  }

  #resourceUpdated(params: JsonObject): void {
    const uri = params['uri'];
    const subscribers = typeof uri === 'string' ? subscribersOf(this.#deps.gate, uri) : undefined;
    if (!subscribers?.size) return this.#deps.counters.drop('unroutable_notification');
    for (const [client, shown] of subscribers) {
      if (client.tell({ type: 'resource/updated', server: this.#deps.gate.name, uri: shown, params }) === 'full') {
        this.#deps.counters.drop('notification_overflow');
      }
    }
  }

  #cancelled(params: JsonObject): void {
    const id = params['requestId'];
    const from = this.#deps.lease();
    if (isJsonRpcId(id) && from) this.#forClient({ type: 'server/cancelled', from, id, reason: params['reason'] });
  }

  #forClient(event: ServerEvent): void {
    const members = this.#deps.lease()?.members ?? [];
    for (const member of members) member.answer(event);
    if (!this.#deps.lease()) this.#deps.counters.drop('unroutable_notification');
  }

  #tellCaller(caller: Ref<CallEvent>, event: CallEvent): void {
    if (caller.tell(event) === 'full') this.#deps.counters.drop('notification_overflow');
  }
}

/** Whether the client of this call said that it can be asked so. */
function declares({ caller }: Call, capability: string): boolean {
  const capabilities =
    caller.era === 'modern' ? caller.envelope.clientCapabilities : caller.envelope[CLIENT_CAPABILITIES_KEY];
  return isJsonObject(capabilities) && capability in capabilities;
}
