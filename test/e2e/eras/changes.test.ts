/** Changes of lists and resources, told to both client eras by servers of both; legacy streams cut and resumed. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientEra } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { flatten, HttpSession, POST_HEADERS, SseStream, type Json, type Wire } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { ModernStream } from './modern-http.js';
import { UpstreamDouble } from './upstream-double.js';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const ALL_LISTS = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

const idOf = ({ params, result }: Wire): unknown =>
  ((params ?? result)?.['_meta'] as Json | undefined)?.[SUBSCRIPTION_ID];
const updatedOf = (uri: string) => (message: Wire) =>
  message.method === 'notifications/resources/updated' && message.params?.['uri'] === uri;
const changed = (message: Wire): boolean => message.method === 'notifications/tools/list_changed';

async function listen(
  gateway: Gateway,
  id: string | number,
  notifications: Json,
  route = '/mcp',
): Promise<ModernStream> {
  const stream = await ModernStream.open(gateway.url, 'subscriptions/listen', { notifications }, { id, route });
  const first = await stream.messages.waitFor(() => true, 'the acknowledgement');
  assert.equal(first.method, 'notifications/subscriptions/acknowledged');
  assert.equal(idOf(first), id);
  return stream;
}

/** What the upstream was asked for, per era, so that changes of this resource come. */
async function subscribed(upstream: UpstreamDouble, uri: string, wanted: boolean): Promise<void> {
  await eventually(() => {
    if (upstream.era === 'legacy') {
      const all = [...upstream.requests('resources/subscribe'), ...upstream.requests('resources/unsubscribe')];
      const times = (method: string): number =>
        all.filter((message) => message.method === method && message.params?.['uri'] === uri).length;
      assert.equal(times('resources/subscribe') - times('resources/unsubscribe'), wanted ? 1 : 0);
      return;
    }
    const open = upstream.listens.items.filter((exchange) => exchange.isOpen);
    assert.equal(open.length, 1);
    const filter = open[0]?.message.params?.['notifications'] as Json;
    assert.equal(((filter['resourceSubscriptions'] ?? []) as unknown[]).includes(uri), wanted);
  });
}

for (const era of ['legacy', 'modern'] as const) {
  describe(`changes at a ${era} server`, () => {
    let upstream: UpstreamDouble;
    let gateway: Gateway;

    beforeEach(async () => {
      upstream = await UpstreamDouble.start(era, { tools: [{ name: 'one', inputSchema: { type: 'object' } }] });
      gateway = await startGateway({ config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() } });
      await gateway.waitForTools(['up__one']);
    });
    afterEach(async () => {
      await gateway.stop();
      await upstream.close();
    });

    streams(
      era,
      () => gateway,
      () => upstream,
    );
    sessions(
      () => gateway,
      () => upstream,
    );
  });
}

function streams(era: ClientEra, gateway: () => Gateway, upstream: () => UpstreamDouble): void {
  it('tells modern clients on their streams, under their own ids', async () => {
    const [one, two] = [await listen(gateway(), 'a', { ...ALL_LISTS }), await listen(gateway(), 7, { ...ALL_LISTS })];
    const quiet = await listen(gateway(), 'q', { promptsListChanged: true });
    await replaceTools(gateway(), upstream());
    assert.equal(idOf(await one.messages.waitFor(changed, 'list_changed')), 'a');
    assert.equal(idOf(await two.messages.waitFor(changed, 'list_changed')), 7);
    assert.equal(quiet.messages.items.filter(changed).length, 0);
    for (const stream of [one, two, quiet]) stream.close();
  });

  it('tells modern clients of a resource, and unsubscribes when the last stream is closed', async () => {
    const uri = 'double://one';
    const filter = { resourceSubscriptions: [uri] };
    const one = await listen(gateway(), 1, filter);
    const two = await listen(gateway(), 1, filter);
    const other = await listen(gateway(), 1, { resourceSubscriptions: ['double://two'] });
    await subscribed(upstream(), uri, true);
    await subscribed(upstream(), 'double://two', true);
    upstream().broadcast('notifications/resources/updated', { uri });
    assert.equal(idOf(await one.messages.waitFor(updatedOf(uri), 'updated')), 1);
    await two.messages.waitFor(updatedOf(uri), 'updated');
    one.close();
    await one.ended;
    const from = two.messages.items.length;
    upstream().broadcast('notifications/resources/updated', { uri });
    await two.messages.waitFor(updatedOf(uri), 'updated', from);
    two.close();
    await subscribed(upstream(), uri, false);
    upstream().broadcast('notifications/resources/updated', { uri: 'double://two' });
    await other.messages.waitFor(updatedOf('double://two'), 'updated');
    assert.equal(other.messages.items.filter(updatedOf(uri)).length, 0);
    other.close();
    await subscribed(upstream(), 'double://two', false);
  });

  it('tells modern clients of what lies below the resource that they asked for', async () => {
    const stream = await listen(gateway(), 1, { resourceSubscriptions: ['double://one'] });
    await subscribed(upstream(), 'double://one', true);
    upstream().broadcast('notifications/resources/updated', { uri: 'double://onerous' });
    upstream().broadcast('notifications/resources/updated', { uri: 'double://one/part' });
    const { params } = await stream.messages.waitFor(({ method }) => method?.endsWith('updated') === true, 'updated');
    assert.equal(params?.['uri'], 'double://one/part');
    stream.close();
  });

  it('acknowledges a stream for nothing, and ends it', async () => {
    const stream = await listen(gateway(), 'n', { toolsListChanged: false, resourceSubscriptions: [] });
    const [ack, end] = [
      stream.messages.items[0],
      await stream.messages.waitFor(({ result }) => result !== undefined, 'end'),
    ];
    assert.deepEqual(ack?.params?.['notifications'], {});
    assert.equal(idOf(end), 'n');
    await stream.ended;
  });

  it('ends the streams with a result when the gateway drains', async () => {
    const stream = await listen(gateway(), 'd', { ...ALL_LISTS });
    gateway().kill('SIGTERM');
    const end = await stream.messages.waitFor(({ id }) => id === 'd', 'the result');
    assert.equal(end.result?.['resultType'], 'complete');
    assert.equal(idOf(end), 'd');
    await stream.ended;
    await gateway().exited;
  });

  if (era === 'modern') {
    it('opens its own stream again when the server ends it', async () => {
      const [first] = upstream().listens.items;
      first?.answer({});
      await upstream().listens.waitFor((exchange) => exchange !== first && exchange.isOpen, 'another stream', 1);
      const stream = await listen(gateway(), 1, { ...ALL_LISTS });
      await replaceTools(gateway(), upstream());
      await stream.messages.waitFor(changed, 'list_changed');
      stream.close();
    });
  }
}

/** A list that changes, by a server that says so. */
async function replaceTools(gateway: Gateway, upstream: UpstreamDouble): Promise<void> {
  const name = `tool-${randomUUID()}`;
  upstream.tools = [{ name, inputSchema: { type: 'object' } }];
  upstream.broadcast('notifications/tools/list_changed');
  await gateway.waitForTools([`up__${name}`]);
}

function sessions(gateway: () => Gateway, upstream: () => UpstreamDouble): void {
  const uri = 'double://one';

  it('tells two legacy clients of one resource, and the server once', async () => {
    const [one, two] = [await HttpSession.open(gateway().url), await HttpSession.open(gateway().url)];
    const [first, second] = [await one.listen(), await two.listen()];
    const heard = async (stream: SseStream, from: number): Promise<unknown> =>
      await stream.events.waitFor(({ data }) => flatten(data).some(updatedOf(uri)), 'updated', from);
    for (const session of [one, two]) {
      const { result } = await session.request('resources/subscribe', { uri });
      assert.deepEqual(result, {});
    }
    await subscribed(upstream(), uri, true);
    upstream().broadcast('notifications/resources/updated', { uri });
    await Promise.all([heard(first, 0), heard(second, 0)]);
    assert.deepEqual((await one.request('resources/unsubscribe', { uri })).result, {});
    const [before, from] = [first.events.items.length, second.events.items.length];
    upstream().broadcast('notifications/resources/updated', { uri });
    await heard(second, from);
    assert.equal(first.events.items.length, before, 'who unsubscribed hears nothing');
    await subscribed(upstream(), uri, true);
    await two.end(); // without unsubscribing
    await subscribed(upstream(), uri, false);
    await one.end();
  });

  it('tells legacy clients of what lies below the resource that they subscribed to', async () => {
    const session = await HttpSession.open(gateway().url);
    const stream = await session.listen();
    await session.request('resources/subscribe', { uri });
    await subscribed(upstream(), uri, true);
    upstream().broadcast('notifications/resources/updated', { uri: `${uri}rous` });
    upstream().broadcast('notifications/resources/updated', { uri: `${uri}/part` });
    const { data } = await stream.events.waitFor((event) => event.data.includes('resources/updated'), 'updated');
    assert.equal(flatten(data)[0]?.params?.['uri'], `${uri}/part`);
    await session.end();
  });

  it('keeps what a lost GET stream would have had: nothing lost, nothing twice', async () => {
    const session = await HttpSession.open(gateway().url);
    await session.request('resources/subscribe', { uri });
    await subscribed(upstream(), uri, true);
    const stamps = async (stream: SseStream, count: number): Promise<unknown[]> => {
      await stream.events.next(count - 1);
      return stream.events.items.flatMap(({ data }) => flatten(data)).map(({ params }) => params?.['stamp']);
    };
    const say = (stamp: number): void => upstream().broadcast('notifications/resources/updated', { uri, stamp });
    const first = await session.listen();
    say(1);
    say(2);
    assert.deepEqual(await stamps(first, 2), [1, 2]);
    const id = first.events.items[0]?.id ?? '';
    assert.ok(id, 'events have ids');
    first.close();
    await first.ended;
    say(3);
    const resumed = await session.listen({ 'last-event-id': id });
    say(4);
    assert.deepEqual(await stamps(resumed, 3), [2, 3, 4]);
    resumed.close();
    await session.end();
  });

  it('keeps what a lost POST stream would have had, the answer too', async () => {
    const session = await HttpSession.open(gateway().url);
    const nonce = randomUUID();
    upstream().tools = [{ name: 'hold', inputSchema: { type: 'object' } }];
    upstream().broadcast('notifications/tools/list_changed');
    await gateway().waitForTools(['up__hold']);
    const params = { name: 'up__hold', arguments: { nonce }, _meta: { progressToken: nonce } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params });
    const opening = SseStream.open(session.url, { ...POST_HEADERS, ...session.headers }, body);
    const call = await upstream().call(nonce);
    const { progressToken } = call.message.params?.['_meta'] as Json;
    const step = (progress: number): void => call.notify('notifications/progress', { progressToken, progress });
    step(1);
    const first = await opening;
    const isStep = (wanted: number) => (data: string) =>
      flatten(data).some((message) => message.params?.['progress'] === wanted);
    const { id = '' } = await first.events.waitFor(({ data }) => isStep(1)(data), 'progress 1');
    first.close();
    await first.ended;
    step(2);
    const resumed = await session.listen({ 'last-event-id': id });
    await resumed.events.waitFor(({ data }) => isStep(2)(data), 'progress 2');
    step(3);
    call.text('done');
    await resumed.ended;
    const messages = resumed.events.items.flatMap(({ data }) => flatten(data));
    assert.deepEqual(
      messages.map((message) => message.params?.['progress'] ?? message.id),
      [2, 3, 5],
    );
    const after = await session.listen({ 'last-event-id': id });
    await after.ended;
    assert.equal(after.events.items.length, 3, 'also when all of it is over');
    await session.end();
  });
}
