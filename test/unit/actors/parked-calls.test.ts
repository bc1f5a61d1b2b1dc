/** Calls of modern clients that wait for input at the gateway: how long, how many, and what is left when nobody comes. */
import assert from 'node:assert/strict';
import { type ClientMessage } from '#src/actors/client-message.js';
import { ANONYMOUS } from '#src/auth/principal.js';
import { ModernPeer } from '#src/actors/modern-peer.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { errorOf, FakeChannel } from '../../support/actors/client-session.js';
import { type FakeTransport } from '../../support/actors/fake-transport.js';
import { listing, offersOf } from '../../support/actors/listings.js';
import { NAME, UpstreamWorld } from '../../support/actors/upstream-world.js';
import { FakeRef } from '../../support/actors/world.js';

const TIMEOUT = 90_000;
const MAX_PARKED = 2;
const TOOL = `${NAME}__t`;

/** A modern client that can be asked for samples, in front of a legacy server. */
class ParkedWorld extends UpstreamWorld {
  readonly client = new FakeRef<ClientMessage>('/client');
  #peer: ModernPeer | null = null;
  #ids = 0;

  constructor() {
    super({ viable: { era: 'legacy' } }, { input: { timeout: TIMEOUT, maxParked: MAX_PARKED } });
  }

  override async start(): Promise<void> {
    await super.start();
    const offers = offersOf([{ server: NAME, listing: listing({ tools: ['t'] }) }]);
    this.plane.routing = new RoutingTable(
      1,
      offers.map((offer) => ({ ...offer, target: this.gate })),
      100,
    );
    const { system, plane, clock } = this;
    const env = { system, plane, wheel: system.wheel, clock, version: '1', onLogLevel: () => undefined };
    this.#peer = new ModernPeer(env, this.client, plane.counters.transports.http);
  }

  get peer(): ModernPeer {
    assert.ok(this.#peer);
    return this.#peer;
  }

  /** Calls the tool; the channel has the answer once there is one. */
  async callTool(args: JsonObject, more: JsonObject = {}): Promise<FakeChannel> {
    const channel = new FakeChannel();
    const params = { name: TOOL, arguments: args, ...more };
    this.peer.request({
      message: { jsonrpc: '2.0', id: (this.#ids += 1), method: 'tools/call', params },
      envelope: {
        protocolVersion: '2026-07-28',
        clientCapabilities: { sampling: {} },
        clientInfo: undefined,
        logLevel: undefined,
      },
      headers: undefined,
      principal: ANONYMOUS,
      scope: null,
      channel,
    });
    await this.pump();
    return channel;
  }

  /** Lets the client hear what it was told. */
  async pump(): Promise<void> {
    await this.settle();
    for (const event of this.client.messages.splice(0)) this.peer.heard(event as Parameters<ModernPeer['heard']>[0]);
  }

  /** A call that has been asked for a sample and is parked, with its server's transport and its state. */
  async park(args: JsonObject): Promise<{ transport: FakeTransport; more: JsonObject }> {
    const channel = await this.callTool(args);
    const { transport } = this;
    const params = { messages: [], maxTokens: 1 };
    transport.say({ jsonrpc: '2.0', id: 's1', method: 'sampling/createMessage', params });
    await this.settle();
    await this.advance(100);
    await this.pump();
    const result = channel.take()[0]?.['result'] as JsonObject;
    assert.equal(result['resultType'], 'input_required', JSON.stringify(result));
    const [key = ''] = Object.keys(result['inputRequests'] as JsonObject);
    const sample = { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } };
    return { transport, more: { requestState: result['requestState'], inputResponses: { [key]: sample } } };
  }
}

describe('parked calls', () => {
  let world: ParkedWorld;

  beforeEach(async () => {
    world = new ParkedWorld();
    await world.start();
  });

  it('whose client never comes back are cancelled at the server when their time is over, and leave nothing', async () => {
    const { transport, more } = await world.park({ n: 1 });
    const [sent] = transport.requests('tools/call');
    await world.advance(TIMEOUT - 1_000, 10_000);
    assert.deepEqual(transport.notifications('notifications/cancelled'), []);
    assert.equal(world.plane.parking.calls.size, 1);
    await world.advance(1_500);
    const [cancelled] = transport.notifications('notifications/cancelled');
    assert.equal(cancelled?.['requestId'], sent?.id);
    assert.ok(transport.closedWith !== null, 'its session is ended');
    assert.equal(world.plane.parking.calls.size, 0);
    assert.equal(world.view.pool.ledger.inUse, 0);
    assert.equal(world.gate.inFlight, 0);
    const late = await world.callTool({ n: 1 }, more);
    assert.equal(errorOf(late.take()[0]).reason, 'invalid_request_state');
    assert.equal(world.plane.parking.calls.size, 0, 'and nothing is begun a second time');
  });

  it('whose client comes back in the last moment go on', async () => {
    const { transport, more } = await world.park({ n: 1 });
    await world.advance(TIMEOUT - 1_000, 10_000);
    const retried = await world.callTool({ n: 1 }, more);
    const [call] = transport.requests('tools/call');
    assert.ok(call);
    await world.advance(5_000);
    assert.deepEqual(transport.notifications('notifications/cancelled'), []);
    transport.answer(call.id, { content: [] });
    await world.pump();
    await world.settle();
    assert.ok(retried.take()[0]?.['result']);
    assert.equal(world.plane.parking.calls.size, 0);
  });

  it('past their bound are refused with a typed error, and taken again when one is over', async () => {
    for (let n = 0; n < MAX_PARKED; n++) await world.park({ n });
    const transports = world.transports.length;
    const refused = await world.callTool({ n: 'more' });
    const { code, reason } = errorOf(refused.take()[0]);
    assert.equal(reason, 'overloaded');
    assert.equal(code, -31014);
    assert.equal(world.transports.length, transports, 'no session was opened for it');
    await world.advance(TIMEOUT + 1_000, 10_000);
    assert.equal(world.plane.parking.calls.size, 0);
    await world.park({ n: 'again' });
  });
});
