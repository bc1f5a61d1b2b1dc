/** A client session with a data plane of two upstreams that only record, and a channel that keeps what is written. */
import { ANONYMOUS } from '#src/auth/principal.js';
import { type Call, type UpstreamSessionMessage } from '#src/actors/call.js';
import { type ClientMessage } from '#src/actors/client-message.js';
import { DataPlane } from '#src/actors/data-plane.js';
import { LegacySession } from '#src/actors/legacy-session.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { ActorSystem, TimerWheel, VirtualClock } from '#src/kernel/index.js';
import { type JsonObject, type JsonRpcId } from '#src/protocol/jsonrpc.js';
import { parseFrame } from '#src/protocol/parse.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { Counters, type Drop } from '#src/telemetry/counters.js';
import { type Channel } from '#src/transports/inbound/channel.js';
import { offersOf, type Part } from './listings.js';
import { configOf, FakeRef } from './world.js';

export class FakeChannel implements Channel {
  /** What went to the client, in order. */
  readonly written: JsonObject[] = [];
  released = 0;
  /** Signs of life, which no client reads. */
  signs = 0;
  open = true;

  answer(text: string): boolean {
    return this.#write(text);
  }

  notify(text: string): boolean {
    return this.#write(text);
  }

  release(): void {
    this.released += 1;
  }

  stillWorking(): void {
    this.signs += 1;
  }

  take(): JsonObject[] {
    return this.written.splice(0);
  }

  #write(text: string): boolean {
    if (this.open) this.written.push(JSON.parse(text) as JsonObject);
    return this.open;
  }
}

/** Short enough that a call comes due once: see `CallTable.overdue`. */
export const REQUEST_TIMEOUT = 60;
export const MAX_IN_FLIGHT = 3;

const ALONE = { gateway: { vsm: { coordination: { coalesce: false } } } };

export class ClientWorld {
  readonly clock = new VirtualClock(5_000);
  readonly wheel = new TimerWheel(this.clock);
  /** Every read is a call of its own here; `test/unit/actors/shared-reads.test.ts` has those that are shared. */
  readonly plane = new DataPlane(configOf(ALONE).gateway, new Counters());
  readonly self = new FakeRef<ClientMessage>('/client');
  readonly channel = new FakeChannel();
  readonly levels: string[] = [];
  /** What was sent to it beside its requests' answers. */
  readonly pushed: JsonObject[] = [];
  readonly system: ActorSystem;
  readonly upstreams = new Map<string, FakeRef<UpstreamSessionMessage>>();
  readonly session: LegacySession;

  constructor(parts: readonly Part[] = [], scope: string | null = null) {
    const offers = offersOf(parts).map((offer) => ({ ...offer, target: this.#gate(offer.server) }));
    this.plane.routing = new RoutingTable(1, offers, 100);
    const { plane, wheel, clock, levels } = this;
    this.system = new ActorSystem({ clock });
    const { system } = this;
    const onLogLevel = (_: string | null, level: string | null): void => void levels.push(level ?? 'none');
    const push = (text: string): boolean => this.pushed.push(JSON.parse(text) as JsonObject) > 0;
    const env = { system, plane, wheel, clock, version: '1.2.3', onLogLevel };
    this.session = new LegacySession(env, this.self, scope, ANONYMOUS, plane.counters.transports.http, push);
  }

  gate(name: string): UpstreamGate {
    const gate = this.plane.gates.get(name);
    if (!gate) throw new Error(`no gate ${name}`);
    return gate;
  }

  upstream(name: string): FakeRef<UpstreamSessionMessage> {
    const ref = this.upstreams.get(name);
    if (!ref) throw new Error(`no upstream ${name}`);
    return ref;
  }

  /** Calls that an upstream was sent, oldest first. */
  calls(name: string): Call[] {
    return this.upstream(name).messages.filter((message): message is Call => message.type === 'call');
  }

  cancelled(name: string): Call[] {
    return this.upstream(name).messages.flatMap((message) => (message.type === 'call/cancel' ? [message.call] : []));
  }

  lastCall(name: string): Call {
    const call = this.calls(name).at(-1);
    if (!call) throw new Error(`${name} was sent nothing`);
    return call;
  }

  receive(message: unknown, channel: Channel = this.channel): void {
    this.session.receive(parseFrame(JSON.stringify(message)), channel);
  }

  request(id: JsonRpcId, method: string, params: JsonObject = {}, channel?: Channel): void {
    this.receive({ jsonrpc: '2.0', id, method, params }, channel);
  }

  notify(method: string, params: JsonObject = {}): void {
    this.receive({ jsonrpc: '2.0', method, params });
  }

  initialize(
    protocolVersion: unknown = '2025-11-25',
    clientInfo: unknown = { name: 'test', version: '1' },
  ): JsonObject {
    this.request('init', 'initialize', { protocolVersion, capabilities: {}, clientInfo });
    const [answer] = this.channel.take();
    this.notify('notifications/initialized');
    return answer ?? {};
  }

  drops(reason: Drop): number {
    return this.plane.counters.drops.get(reason) ?? 0;
  }

  #gate(name: string): UpstreamGate {
    const gate = new UpstreamGate(name, MAX_IN_FLIGHT, REQUEST_TIMEOUT);
    const session = new FakeRef<UpstreamSessionMessage>(`/${name}`);
    gate.session = session;
    this.upstreams.set(name, session);
    this.plane.gates.set(name, gate);
    return gate;
  }
}

/** `code` and `data.reason` of an error answer. */
export function errorOf(answer: JsonObject | undefined): { code: unknown; reason: unknown; data: JsonObject } {
  const error = (answer?.['error'] ?? {}) as JsonObject;
  const data = (error['data'] ?? {}) as JsonObject;
  return { code: error['code'], reason: data['reason'], data };
}
