/** A resource that a rule has come to deny is not heard of any more by those who subscribed to it before. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { PhoenixPeer } from '../../support/phoenix-peer.js';
import { flatten, HttpSession, type Wire } from '../../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';
import { ModernStream } from '../eras/modern-http.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const [KEPT, DENIED] = ['double://two', 'double://one'];

/** A client that has subscribed to both: what it has heard. */
interface Subscriber {
  readonly heard: () => readonly Wire[];
}

const SUBSCRIBERS: Readonly<Record<string, (gateway: Gateway) => Promise<Subscriber>>> = {
  'GET stream': async ({ url }) => {
    const session = await HttpSession.open(url);
    const stream = await session.listen();
    for (const uri of [KEPT, DENIED]) await session.request('resources/subscribe', { uri });
    return { heard: () => stream.events.items.flatMap(({ data }) => flatten(data)) };
  },
  'subscriptions/listen': async ({ url }) => {
    const params = { notifications: { resourceSubscriptions: [KEPT, DENIED] } };
    const stream = await ModernStream.open(url, 'subscriptions/listen', params);
    await stream.messages.waitFor(() => true, 'the acknowledgement');
    return { heard: () => stream.messages.items };
  },
  'HTTP+SSE': async ({ url }) => {
    const peer = await SsePeer.open(url);
    for (const uri of [KEPT, DENIED]) await peer.request('resources/subscribe', { uri });
    return { heard: () => peer.messages.items };
  },
  WebSocket: async ({ url }) => {
    const peer = await WebSocketPeer.open(url);
    for (const uri of [KEPT, DENIED]) await peer.request('resources/subscribe', { uri });
    return { heard: () => peer.messages.items };
  },
  Phoenix: async ({ url }) => {
    const peer = await PhoenixPeer.open(url);
    for (const uri of [KEPT, DENIED]) await peer.request('resources/subscribe', { uri });
    return { heard: () => peer.frames.items.map((frame) => frame[4] as Wire) };
  },
};

const updatesOf = (subscriber: Subscriber, uri: string): number =>
  subscriber
    .heard()
    .filter(({ method, params }) => method === 'notifications/resources/updated' && params?.['uri'] === uri).length;

describe('subscriptions under a changed policy', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  const config = (rules: object[]): object => ({
    mcpServers: { up: { url: upstream.url } },
    gateway: { ...settings(), policy: { rules } },
  });

  beforeEach(async () => {
    upstream = await UpstreamDouble.start('legacy', { tools: [{ name: 'one', inputSchema: { type: 'object' } }] });
    gateway = await startGateway({ config: config([]) });
    await gateway.waitForTools(['up__one']);
  });
  afterEach(async () => {
    await gateway.stop();
    await upstream.close();
  });

  for (const [name, subscribe] of Object.entries(SUBSCRIBERS)) {
    it(`${name}: what is denied now is not told, what is not still is`, async () => {
      const subscriber = await subscribe(gateway);
      const update = (uri: string): void => upstream.broadcast('notifications/resources/updated', { uri });
      update(DENIED);
      await eventually(() => assert.equal(updatesOf(subscriber, DENIED), 1));
      await gateway.reconfigure(config([{ effect: 'deny', resources: [DENIED] }]));
      await eventually(async () => assert.equal((await gateway.status()).rules.version, 2));
      update(DENIED);
      update(KEPT);
      await eventually(() => assert.equal(updatesOf(subscriber, KEPT), 1));
      assert.equal(updatesOf(subscriber, DENIED), 1);
    });
  }
});
