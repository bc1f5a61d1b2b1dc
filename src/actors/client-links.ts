/**
 * What ties one client to the upstreams: sessions that are its alone, what servers have asked of it, the resources that
 * it subscribes to. Process-free; ends with the client.
 *
 * Invariant: a server's request reaches the client that caused it and no other, because only sessions that serve one
 * client announce that the client can be asked.
 */
import { type Ref } from '../kernel/index.js';
import { isJsonObject, type JsonObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Counters } from '../telemetry/counters.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type ServerEvent, type UpstreamSessionMessage } from './call.js';
import { type ClientMessage } from './client-message.js';
import { type ClientAnswer, ServerRequests } from './server-requests.js';
import { type SessionClient, type UpstreamGate } from './upstream-gate.js';

/** Client capabilities that let a server ask the client something. */
export const ASKABLE = ['sampling', 'elicitation', 'roots'] as const;

export class ClientLinks {
  readonly #self: Ref<ClientMessage>;
  readonly #counters: Counters;
  /** Sends what belongs to no call. `false` when the client has no open stream. */
  readonly #push: (text: string) => boolean;
  readonly #own = new Map<UpstreamGate, Ref<UpstreamSessionMessage>>();
  readonly #requests = new ServerRequests();
  readonly #subscribed = new Map<UpstreamGate, Set<string>>();
  #client: SessionClient;
  #askable = false;

  constructor(self: Ref<ClientMessage>, counters: Counters, push: (text: string) => boolean) {
    this.#self = self;
    this.#counters = counters;
    this.#push = push;
    this.#client = { ref: self, capabilities: {}, info: undefined };
  }

  /** What the client said of itself. */
  declare(capabilities: unknown, info: unknown): void {
    const declared = isJsonObject(capabilities) ? capabilities : {};
    const asked = ASKABLE.filter((name) => isJsonObject(declared[name])).map((name) => [name, declared[name]]);
    this.#askable = asked.length > 0;
    const askable = Object.fromEntries(asked) as JsonObject;
    this.#client = { ref: this.#self, capabilities: askable, info: isJsonObject(info) ? info : undefined };
  }

  /** The upstream session for this client's calls; `null` when there is none now. */
  to(gate: UpstreamGate): Ref<UpstreamSessionMessage> | null {
    // What is refused anyway needs no session of its own.
    if (gate.session === null || gate.breaker.refuses || !this.#needsOwn(gate)) return gate.session;
    const known = this.#own.get(gate);
    if (known?.alive) return known;
    const opened = gate.openSession?.(this.#client);
    if (opened === undefined || typeof opened === 'string') return null;
    this.#own.set(gate, opened);
    return opened;
  }

  /** A server speaks to this client. `channelOf` finds the call during which it does. */
  heard(event: ServerEvent, channelOf: (session: Ref<UpstreamSessionMessage>) => Channel | undefined): boolean {
    switch (event.type) {
      case 'server/requested': {
        const { from, id, method, params } = event;
        const settle = (answer: ClientAnswer): void =>
          void from.answer({ type: 'server-request/answered', answer: { id, ...answer } });
        return this.ask(from, id, method, params, channelOf(from), settle);
      }
      case 'server/cancelled': {
        const text = this.#requests.cancelled(event.from, event.id, event.reason);
        return text !== undefined && this.#deliver(text, channelOf(event.from));
      }
      case 'server/notified':
        return this.#deliver(JSON.stringify({ jsonrpc: '2.0', method: event.method, params: event.params }), undefined);
    }
  }

  /** Asks the client something; `settle` is called once. `false` when it could not be asked. */
  ask(
    asker: object,
    id: JsonRpcId,
    method: string,
    params: JsonObject | undefined,
    channel: Channel | undefined,
    settle: (answer: ClientAnswer) => void,
  ): boolean {
    const text = this.#requests.ask(asker, id, method, params, settle);
    if (text === undefined) return false;
    const delivered = this.#deliver(text, channel);
    if (!delivered) this.#requests.undeliverable();
    return delivered;
  }

  /** What this asker has asked needs no answer any more. */
  forget(asker: object): void {
    this.#requests.forget(asker);
  }

  /** The client answered a server's request; `false` when nobody waits for that answer. */
  answered(response: JsonRpcResponse): boolean {
    return this.#requests.answered(response);
  }

  /** Tells every server that knows this client. */
  tellServers(method: string, params: JsonObject): void {
    for (const session of this.#own.values()) session.tell({ type: 'client/said', method, params });
  }

  /** Notes a subscription; true when the upstream has to be asked for it. */
  subscribe(gate: UpstreamGate, own: string, shown: string): boolean {
    const subscribers = gate.subscriptions.get(own) ?? new Map<Ref<ClientMessage>, string>();
    gate.subscriptions.set(own, subscribers);
    subscribers.set(this.#self, shown);
    const mine = this.#subscribed.get(gate) ?? new Set();
    this.#subscribed.set(gate, mine.add(own));
    return subscribers.size === 1;
  }

  /** Forgets a subscription; true when nobody else has it, so that the upstream is to be told. */
  unsubscribe(gate: UpstreamGate, own: string): boolean {
    this.#subscribed.get(gate)?.delete(own);
    const subscribers = gate.subscriptions.get(own);
    if (!subscribers?.delete(this.#self) || subscribers.size > 0) return false;
    gate.subscriptions.delete(own);
    return true;
  }

  /** The client is gone: nothing of it stays anywhere. */
  close(): void {
    this.#requests.close();
    for (const [gate, uris] of this.#subscribed) {
      for (const uri of [...uris])
        if (this.unsubscribe(gate, uri)) gate.session?.tell({ type: 'resource/unsubscribe', uri });
    }
    for (const session of this.#own.values()) session.tell({ type: 'session/close', reason: 'its client is gone' });
    this.#own.clear();
  }

  #needsOwn(gate: UpstreamGate): boolean {
    if (gate.sharing === 'shared' || gate.era === 'modern') return false;
    return gate.sharing === 'session' || this.#askable;
  }

  #deliver(text: string, channel: Channel | undefined): boolean {
    const delivered = channel?.notify(text) ?? this.#push(text);
    if (!delivered) this.#counters.drop('client_gone');
    return delivered;
  }
}
