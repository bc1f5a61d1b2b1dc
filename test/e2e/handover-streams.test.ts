/** Streams and subscriptions in a drain and a hand-over: modern ones end with their result, legacy ones go over. */
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { EventLog } from '../support/event-log.js';
import { eventually, within } from '../support/eventually.js';
import { flatten, HttpSession, type Json, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';
import { Upgradable } from '../support/upgradable.js';
import { modernMessage, ModernStream } from './eras/modern-http.js';
import { UpstreamDouble } from './eras/upstream-double.js';

const URI = 'double://one';
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const FILTER = { toolsListChanged: true, resourceSubscriptions: [URI] };

const updated = (message: Wire): boolean =>
  message.method === 'notifications/resources/updated' && message.params?.['uri'] === URI;
const idOf = ({ params, result }: Wire): unknown =>
  ((params ?? result)?.['_meta'] as Json | undefined)?.[SUBSCRIPTION_ID];

describe('streams in a hand-over', function () {
  this.timeout(120_000);
  let upstream: UpstreamDouble;
  let world: Upgradable;

  beforeEach(async () => {
    upstream = await UpstreamDouble.start('legacy');
    world = await Upgradable.start({
      mcpServers: { up: { url: upstream.url, viable: { era: 'legacy' } } },
      gateway: settings({ draining: { defaultTimeout: 20_000, notificationInterval: 100 } }),
    });
    await world.gateway.waitForTools(['up__echo']);
  });
  afterEach(async () => {
    await world.stop();
    await upstream.close();
  });

  const listen = async (id: string): Promise<ModernStream> => {
    const params = { notifications: FILTER };
    const stream = await ModernStream.open(world.gateway.url, 'subscriptions/listen', params, { id });
    const first = await stream.messages.waitFor(() => true, 'the acknowledgement');
    assert.equal(first.method, 'notifications/subscriptions/acknowledged');
    return stream;
  };

  /** Its last message is the result of the subscription, and the response is whole. */
  async function endsCleanly(stream: ModernStream, id: string): Promise<void> {
    await within(stream.ended, 'the end of the stream');
    const last = stream.messages.items.at(-1) ?? assert.fail('nothing came');
    assert.deepEqual([last.id, idOf(last), last.error], [id, id, undefined], JSON.stringify(last));
    assert.equal(last.result?.['resultType'], 'complete');
    assert.ok(stream.whole, 'the response was cut off');
  }

  it('subscriptions/listen ends with its result in a drain, over HTTP and on a WebSocket', async () => {
    const stream = await listen('drained');
    const peer = await WebSocketPeer.open(world.gateway.url);
    const params = { notifications: FILTER };
    peer.socket.send(JSON.stringify(modernMessage('subscriptions/listen', params, { id: 'on ws' })));
    await peer.messages.waitFor(({ method }) => method === 'notifications/subscriptions/acknowledged', 'acknowledged');
    world.gateway.kill('SIGTERM');
    await endsCleanly(stream, 'drained');
    const result = await peer.messages.waitFor(({ id }) => id === 'on ws', 'the result on the WebSocket');
    assert.equal(idOf(result), 'on ws');
    assert.equal(await within(peer.closed, 'the close'), 1001);
    assert.deepEqual(await world.gateway.exited, { code: 0, signal: null });
  });

  it('subscriptions/listen ends with its result in an upgrade; opened again, it hears of changes at once', async () => {
    const stream = await listen('before');
    const run = world.upgrade();
    await endsCleanly(stream, 'before');
    const again = await listen('after');
    assert.notEqual(await world.pid(), world.oldPid);
    upstream.broadcast('notifications/resources/updated', { uri: URI });
    assert.equal(idOf(await again.messages.waitFor(updated, 'the update')), 'after');
    assert.equal((await run).code, 0);
    await world.oldIsGone();
    again.close();
  });

  it('a legacy subscription goes over: the update arrives on the resumed stream of the same session', async () => {
    const session = await HttpSession.open(world.gateway.url);
    const stream = await session.listen();
    assert.ok((await session.request('resources/subscribe', { uri: URI })).result);
    upstream.broadcast('notifications/resources/updated', { uri: URI });
    const event = await stream.events.waitFor(({ data }) => flatten(data).some(updated), 'the update before');
    const before = upstream.requests('resources/subscribe').length;
    const run = world.upgrade();
    await within(stream.ended, 'the end of the stream');
    const resumed = await session.listen({ 'last-event-id': String(event.id) });
    assert.equal(resumed.status, 200);
    assert.equal((await run).code, 0);
    await world.oldIsGone();
    await eventually(() => assert.equal(upstream.requests('resources/subscribe').length, before + 1), {
      what: 'the successor subscribes',
    });
    upstream.broadcast('notifications/resources/updated', { uri: URI });
    await resumed.events.waitFor(({ data }) => flatten(data).some(updated), 'the update after');
    resumed.close();
    await session.end();
    await eventually(() => assert.equal(upstream.requests('resources/unsubscribe').length, 1), {
      what: 'the last one to go unsubscribes',
    });
  });

  it('the official client notices nothing: its handler is called before and after', async () => {
    const transport = new StreamableHTTPClientTransport(new URL(`${world.gateway.url}/mcp`));
    const client = new Client({ name: 'subscriber', version: '1' });
    const updates = new EventLog<string>();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => updates.push(params.uri));
    await client.connect(transport);
    const { sessionId } = transport;
    await client.subscribeResource({ uri: URI });
    await eventually(() => {
      upstream.broadcast('notifications/resources/updated', { uri: URI });
      assert.ok(updates.items.length > 0);
    });
    assert.equal((await world.upgrade()).code, 0);
    await world.oldIsGone();
    const from = updates.items.length;
    await eventually(() => {
      upstream.broadcast('notifications/resources/updated', { uri: URI });
      assert.ok(updates.items.length > from);
    });
    assert.equal(transport.sessionId, sessionId);
    await client.close();
  });
});
