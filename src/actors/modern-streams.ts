/**
 * The `subscriptions/listen` streams of one modern client: filters, acknowledgements, what is told on them, their end.
 * Process-free.
 *
 * Source: MCP specification 2026-07-28, "Patterns › Subscriptions".
 */
import { type Principal } from '../auth/principal.js';
import { type Ref } from '../kernel/index.js';
import { type JsonObject, type JsonRpcId, type JsonRpcNotification } from '../protocol/jsonrpc.js';
import {
  accepts,
  acknowledgement,
  forSubscription,
  honouredFilter,
  isEmptyFilter,
  readFilter,
  type SubscriptionFilter,
  teardownResult,
} from '../protocol/modern/subscriptions.js';
import { type ScopeView } from '../routing/routing-table.js';
import { type Channel } from '../transports/inbound/channel.js';
import { ClientLinks } from './client-links.js';
import { type ClientMessage, type ResourceUpdated } from './client-message.js';
import { type DataPlane } from './data-plane.js';
import { mayHear, viewFor } from './policy-guard.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Streams that one connection may have open. */
const MAX_STREAMS = 64;

/** Who listens, and where. */
interface Listener {
  readonly scope: string | null;
  readonly principal: Principal;
}

interface Stream {
  readonly filter: SubscriptionFilter;
  readonly scope: string | null;
  readonly channel: Channel;
  readonly principal: Principal;
  /** The upstreams' own URIs that this stream subscribed to. */
  readonly subscribed: readonly { readonly gate: UpstreamGate; readonly own: string }[];
}

export class ModernStreams {
  readonly #plane: DataPlane;
  readonly #self: Ref<ClientMessage>;
  readonly #serverInfo: JsonObject;
  readonly #links: ClientLinks;
  readonly #streams = new Map<JsonRpcId, Stream>();

  constructor(plane: DataPlane, self: Ref<ClientMessage>, serverInfo: JsonObject) {
    this.#plane = plane;
    this.#self = self;
    this.#serverInfo = serverInfo;
    this.#links = new ClientLinks(self, plane.counters, () => false);
  }

  get size(): number {
    return this.#streams.size;
  }

  has(id: JsonRpcId): boolean {
    return this.#streams.has(id);
  }

  /** Opens a stream and acknowledges it; says why it cannot be. */
  begin(id: JsonRpcId, params: JsonObject, { scope, principal }: Listener, channel: Channel): string | undefined {
    const reading = readFilter(params);
    if (!reading.ok) return reading.detail;
    if (this.#streams.size >= MAX_STREAMS) return `at most ${MAX_STREAMS} streams on one connection`;
    const view = viewFor(this.#plane, scope, principal);
    // The gateway's own lists change when upstreams come, also while none is there yet.
    const capabilities = {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
    };
    const filter = honouredFilter(reading.filter, capabilities, (uri) => view?.resource(uri) !== undefined);
    channel.notify(JSON.stringify(acknowledgement(id, filter)));
    if (isEmptyFilter(filter)) {
      channel.answer(JSON.stringify(teardownResult(id, this.#serverInfo)));
      return undefined;
    }
    this.#streams.set(id, { filter, scope, channel, principal, subscribed: this.#subscribe(filter, view) });
    this.#plane.listeners.add(this.#self);
    return undefined;
  }

  /** How many streams were told. */
  listChanged(scope: string | null, method: string): number {
    let told = 0;
    for (const [id, stream] of this.#streams)
      if (stream.scope === scope && this.#tell(id, stream, { jsonrpc: '2.0', method })) told += 1;
    return told;
  }

  updated(update: ResourceUpdated): boolean {
    const { uri, params } = update;
    const message: JsonRpcNotification = {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { ...params, uri },
    };
    let told = false;
    for (const [id, stream] of this.#streams)
      if (mayHear(this.#plane, stream.principal, update)) told = this.#tell(id, stream, message) || told;
    return told;
  }

  /** The client ended this stream; `false` when there is none of this id. */
  end(id: JsonRpcId): boolean {
    const stream = this.#streams.get(id);
    if (!stream) return false;
    this.#remove(id, stream);
    stream.channel.release();
    return true;
  }

  channelClosed(channel: Channel): void {
    for (const [id, stream] of this.#streams) if (stream.channel === channel) this.#remove(id, stream);
  }

  /** The gateway ends them, or those of some principals: each gets its result. */
  shutdown(of: (principal: Principal) => boolean = () => true): void {
    for (const [id, stream] of this.#streams) {
      if (!of(stream.principal)) continue;
      this.#remove(id, stream);
      stream.channel.answer(JSON.stringify(teardownResult(id, this.#serverInfo)));
    }
  }

  close(): void {
    for (const [id, stream] of this.#streams) this.#remove(id, stream);
  }

  /** When the first token behind a stream ends, epoch milliseconds. */
  nextExpiry(): number {
    let next = Infinity;
    for (const { principal } of this.#streams.values()) next = Math.min(next, principal.expiresAt ?? Infinity);
    return next;
  }

  signOfLife(): void {
    for (const { channel } of this.#streams.values()) channel.stillWorking();
  }

  #subscribe(filter: SubscriptionFilter, view: ScopeView<UpstreamGate> | undefined): Stream['subscribed'] {
    return [...filter.resourceSubscriptions].flatMap((uri) => {
      const route = view?.resource(uri);
      if (!route) return [];
      const { target: gate, own } = route;
      if (this.#links.subscribe(gate, own, uri)) gate.session?.tell({ type: 'resource/subscribe', uri: own });
      return [{ gate, own }];
    });
  }

  #tell(id: JsonRpcId, stream: Stream, message: JsonRpcNotification): boolean {
    return accepts(stream.filter, message) && stream.channel.notify(JSON.stringify(forSubscription(message, id)));
  }

  #remove(id: JsonRpcId, stream: Stream): void {
    this.#streams.delete(id);
    if (this.#streams.size === 0) this.#plane.listeners.delete(this.#self);
    for (const { gate, own } of stream.subscribed) {
      const stillWanted = [...this.#streams.values()].some((other) =>
        other.subscribed.some((entry) => entry.gate === gate && entry.own === own),
      );
      if (!stillWanted && this.#links.unsubscribe(gate, own))
        gate.session?.tell({ type: 'resource/unsubscribe', uri: own });
    }
  }
}
