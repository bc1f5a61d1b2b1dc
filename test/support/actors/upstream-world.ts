/** One upstream in its tree, over transports that tests play the server of. */
import { ANONYMOUS } from '#src/auth/principal.js';
import { type CallEvent, Call, type UpstreamSessionMessage } from '#src/actors/call.js';
import {
  CATALOGUE,
  CONNECTIONS,
  REGISTRY,
  upstreamId,
  upstreamLifecycle,
  UPSTREAMS,
  upstreamSessions,
} from '#src/actors/names.js';
import { pool } from '#src/actors/pool.js';
import { upstream, type UpstreamMessage } from '#src/actors/upstream.js';
import { newUpstreamView } from '#src/actors/upstream-view.js';
import { concurrency } from '#src/actors/concurrency.js';
import { upstreamBreaker } from '#src/actors/unit-breakers.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { type UpstreamPhase } from '#src/machines/upstream.js';
import { type ServerConfig } from '#src/config/types.js';
import { type ActorInit, ask, type Ref } from '#src/kernel/index.js';
import { type JsonObject, type JsonRpcId } from '#src/protocol/jsonrpc.js';
import { buildUpstream } from '#src/supervisors/build.js';
import { type OutboundHandlers } from '#src/transports/outbound/transport.js';
import { FakeTransport, serve, server, type Server } from './fake-transport.js';
import { FakeChannel } from './client-session.js';
import { configOf, FakeRef, World } from './world.js';

export const NAME = 'up';
export const BACKOFF = { base: 100, max: 1_000 };

export class UpstreamWorld extends World {
  readonly transports: FakeTransport[] = [];
  readonly gate = new UpstreamGate(NAME, 100, 60_000);
  readonly view = newUpstreamView(0);
  /** What backoff draws. */
  random = 1;
  /** What new transports answer; `null`: the test answers. */
  is: Server | null = server();
  /** Runs when a lifecycle reads its configuration: first thing in its life. */
  onConfig: (() => void) | null = null;
  /** Whether new transports open by themselves. */
  opens = true;

  constructor(entry: object = { viable: { era: 'legacy' } }, gateway: object = {}) {
    super(
      configOf({
        mcpServers: { [NAME]: { command: 'none', ...entry } },
        gateway: { upstreams: { backoffBase: BACKOFF.base, backoffMax: BACKOFF.max, shutdownGrace: 300 }, ...gateway },
      }),
    );
    this.entry = entry;
    this.plane.gates.set(NAME, this.gate);
  }

  readonly entry: object;

  async start(): Promise<void> {
    await this.boot({
      [CATALOGUE.path]: 'recorder',
      [UPSTREAMS]: 'dynamic',
      [REGISTRY.path]: 'recorder',
      [CONNECTIONS]: 'dynamic',
    });
    const { system, plane, gate, view, log } = this;
    const config = configOf({ mcpServers: { [NAME]: { command: 'none', ...this.entry } } }).servers.get(NAME);
    if (!config) throw new Error('not configured');
    const common = {
      system,
      plane,
      gate,
      version: '1',
      log,
      view,
      random: () => this.random,
      createTransport: (_config: ServerConfig, handlers: OutboundHandlers) => {
        const transport = new FakeTransport(handlers);
        this.transports.push(transport);
        if (this.is) serve(transport, this.is);
        if (this.opens) transport.opening.resolve(undefined);
        return transport;
      },
    };
    const lifecycle = upstream({
      ...common,
      config: () => {
        this.onConfig?.();
        return config;
      },
    });
    const inits: Record<string, unknown> = {
      '/lifecycle': lifecycle,
      '/pool': pool({ ...common, config: () => config }),
      '/breaker': upstreamBreaker({ ...common, config: () => config }),
      '/concurrency': concurrency({ gate, config: () => config }),
    };
    const started = system.startChild(
      UPSTREAMS,
      buildUpstream(upstreamId(NAME), new Map(Object.entries(inits)) as Map<string, ActorInit<never>>),
    );
    if (!started.ok) throw started.error ?? new Error(started.why);
    await this.settle();
  }

  get transport(): FakeTransport {
    const last = this.transports.at(-1);
    if (!last) throw new Error('no transport yet');
    return last;
  }

  get phase() {
    return this.view.phase;
  }

  get lifecycle(): Ref<UpstreamMessage> {
    return this.ref(upstreamLifecycle(NAME).path);
  }

  sessions(): Ref<UpstreamSessionMessage>[] {
    return this.system.childrenOf(upstreamSessions(NAME));
  }

  async operate(command: 'reconnect' | 'disable' | 'enable'): Promise<UpstreamPhase> {
    const answer = ask<UpstreamMessage, UpstreamPhase>(
      this.system.wheel,
      this.system.whereis(upstreamLifecycle(NAME)),
      (replyTo) => ({ type: `upstream/${command}`, replyTo }),
      1_000,
    );
    await this.settle();
    return answer;
  }

  /** A call of a client, sent to the session that takes calls. */
  call(id: JsonRpcId, params: JsonObject = {}, progressToken?: JsonRpcId): { call: Call; client: FakeRef<CallEvent> } {
    const client = new FakeRef<CallEvent>(`/client-${String(id)}`);
    const to = this.gate.session;
    if (!to) throw new Error('not sent: no session');
    const caller = { era: 'legacy', principal: ANONYMOUS, envelope: {} } as const;
    const fields = {
      id,
      method: 'tools/call',
      target: '',
      params,
      progressToken,
      startedAt: 0,
      to,
      caller,
      trace: null,
    };
    const call = new Call({ ...fields, tool: undefined, replyTo: client, gate: this.gate, channel: new FakeChannel() });
    const sent = to.tell(call);
    if (sent !== 'ok') throw new Error(`not sent: ${sent}`);
    return { call, client };
  }
}

/** How each event reads, in order. */
export function story(client: FakeRef<CallEvent>): string[] {
  return client.messages.map((event) => {
    if (event.type !== 'call/failed') return event.type;
    return `call/failed ${(event.error.data as { reason: string }).reason}`;
  });
}
