/**
 * What ties one client to the upstreams: its leases of sessions, what servers have asked of it, the resources that
 * it subscribes to. Process-free; ends with the client.
 *
 * Invariant: a server's request reaches the client that caused it and no other, because only sessions that serve one
 * client announce that the client can be asked.
 */
import { type Principal } from '../auth/principal.js';
import { type Ref } from '../kernel/index.js';
import { isJsonObject, type JsonObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Counters } from '../telemetry/counters.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type ServerEvent, type UpstreamSessionMessage } from './call.js';
import { type ClientMessage } from './client-message.js';
import { LazyMap } from './lazy-map.js';
import { type Lease, leaseFor, needsLease } from './lease.js';
import { type ClientAnswer, ServerRequests } from './server-requests.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Client capabilities that let a server ask the client something. */
export const ASKABLE = ['sampling', 'elicitation', 'roots'] as const;

/** Shared by all clients that can be asked nothing. */
const NOTHING: JsonObject = Object.freeze({});

export class ClientLinks {
  readonly #self: Ref<ClientMessage>;
  readonly #counters: Counters;
  /** Sends what belongs to no call. `false` when the client has no open stream. */
  readonly #push: (text: string) => boolean;
  readonly #leases = new LazyMap<UpstreamGate, Lease>();
  readonly #requests = new ServerRequests();
  readonly #subscribed = new LazyMap<UpstreamGate, Set<string>>();
  /** What servers can ask of it. */
  #askable: JsonObject = NOTHING;
  #info: JsonObject | undefined;

  constructor(self: Ref<ClientMessage>, counters: Counters, push: (text: string) => boolean) {
    this.#self = self;
    this.#counters = counters;
    this.#push = push;
  }

  /** What the client said of itself. */
  declare(capabilities: unknown, info: unknown): void {
    const declared = isJsonObject(capabilities) ? capabilities : {};
    const asked = ASKABLE.filter((name) => isJsonObject(declared[name])).map((name) => [name, declared[name]]);
    this.#askable = asked.length === 0 ? NOTHING : (Object.fromEntries(asked) as JsonObject);
    this.#info = isJsonObject(info) ? info : undefined;
  }

  /** Where this client's calls go: the session that all share, or its lease; `null` when there is none now. */
  to(gate: UpstreamGate, principal: Principal): Ref<UpstreamSessionMessage> | null {
    if (gate.session === null || !needsLease(gate, Object.keys(this.#askable).length > 0)) return gate.route();
    const known = this.#leases.get(gate);
    if (known) return known;
    const lessee = { member: this.#self, principal, capabilities: this.#askable, info: this.#info, session: true };
    const lease = leaseFor(gate, lessee);
    this.#leases.set(gate, lease);
    return lease;
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
    for (const { worker } of this.#leases.values()) worker?.tell({ type: 'client/said', method, params });
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

  /** What it subscribes to, by the URIs that the client knows. */
  shownUris(): string[] {
    return [...this.#subscribed].flatMap(([gate, uris]) =>
      [...uris].flatMap((own) => gate.subscriptions.get(own)?.get(this.#self) ?? []),
    );
  }

  /** The client is gone: nothing of it stays anywhere. */
  close(): void {
    this.#requests.close();
    for (const [gate, uris] of this.#subscribed) {
      for (const uri of [...uris])
        if (this.unsubscribe(gate, uri)) gate.session?.tell({ type: 'resource/unsubscribe', uri });
    }
    for (const lease of this.#leases.values()) lease.leave(this.#self);
    this.#leases.clear();
  }

  #deliver(text: string, channel: Channel | undefined): boolean {
    const delivered = channel?.notify(text) ?? this.#push(text);
    if (!delivered) this.#counters.drop('client_gone');
    return delivered;
  }
}
