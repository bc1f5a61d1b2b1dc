/**
 * Who a client is, on each transport of clients: tokens that are none, headers that pretend, what another's session gives
 * away, what a token lacks, and that nothing of all this travels upstream.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { badTokens, goodToken } from '../../support/auth/bad-tokens.js';
import { upgradeStatus } from '../../support/auth/peers.js';
import { bearer, SECRET, tokenFor } from '../../support/auth/tokens.js';
import { DOORS, ModernPeer, reasonOf, welcome } from '../../support/doors.js';
import { eventually } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { PhoenixPeer } from '../../support/phoenix-peer.js';
import { fetchRaw, type Json } from '../../support/raw-http.js';
import { startRemote } from '../../support/remote-fixture.js';
import { settings } from '../../support/settings.js';
import { ASKABLE, modernRequest } from '../eras/modern-http.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const ADDED = 'tools:add';
const RULES = [
  { effect: 'allow', permissions: [ADDED], tools: ['good__add'] },
  { effect: 'allow', roles: ['admin'] },
  { effect: 'deny', tools: ['good__add', 'good__env'] },
];
/** What proxies and gateways are told by, and what would make an administrator of anybody if it were believed. */
const INTERNAL: Readonly<Record<string, string>> = {
  'x-viable-principal': 'root',
  'x-viable-role': 'admin',
  'x-viable-authenticated': 'true',
  'x-user-id': 'root',
  'x-user-role': 'admin',
  'x-role': 'admin',
  'x-permissions': ADDED,
  'x-scope': ADDED,
  'x-tenant': 'root',
  'x-remote-user': 'root',
  'x-forwarded-user': 'root',
  'x-forwarded-email': 'root@example.com',
  'x-forwarded-for': '127.0.0.1',
  'x-real-ip': '127.0.0.1',
  'x-auth-request-user': 'root',
  'x-authenticated-userid': 'root',
  'x-ssl-client-verify': 'SUCCESS',
  'x-client-cert': 'root',
  'x-original-url': '/healthz',
  'x-rewrite-url': '/healthz',
  'x-http-method-override': 'GET',
  'x-api-key': 'internal-key',
  'proxy-authorization': 'Basic aW50ZXJuYWw=',
  cookie: 'session=internal',
};

describe('identity on each transport', () => {
  let hub: FixtureHub;
  let double: UpstreamDouble;
  let gateway: Gateway;
  /** What tokens name as the place of their key. */
  let elsewhere: Server;
  let fetched = 0;
  const base = (): string => gateway.url;
  const elsewhereUrl = (): string => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/keys`;

  before(async () => {
    hub = await FixtureHub.start();
    const { url } = await startRemote(hub, 'far', 'http');
    double = await UpstreamDouble.start('legacy');
    elsewhere = createServer((_, response) => {
      fetched += 1;
      response.end('{"keys":[]}');
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    gateway = await startGateway({
      env: { JWT_SECRET: SECRET },
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good'), far: { url }, double: { url: double.url } },
        gateway: { ...settings({ limits: { failedLogins: 10_000 } }), policy: { rules: RULES } },
      },
    });
    for (const name of ['good', 'far', 'double'])
      await gateway.waitForUpstream(name, ({ state, tools }) => state === 'ready' && tools > 0, 'ready');
  });
  after(async () => {
    await gateway.stop();
    await double.close();
    elsewhere.close();
    await hub.close();
  });

  /** Until who is connected, with which role, are these and no others: what has just closed may still be leaving. */
  async function connected(...who: (readonly [string, string])[]): Promise<void> {
    await eventually(async () => {
      const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
      assert.deepEqual(
        connections.map(({ principal, role }) => [principal, role]),
        who,
      );
    });
  }

  for (const door of DOORS) {
    describe(door.name, () => {
      it('what is no token of the issuer, or not for here, is 401; nothing is fetched for it', async () => {
        assert.equal((await door.knock(base())).status, 401, 'without a token');
        assert.equal((await door.knock(base(), bearer(goodToken()))).status, welcome(door));
        for (const [what, token] of Object.entries(badTokens(elsewhereUrl())))
          assert.equal((await door.knock(base(), bearer(token))).status, 401, what);
        assert.equal(fetched, 0);
      });

      it('headers of proxies and gateways make nobody of anyone, and go no further', async () => {
        assert.equal((await door.knock(base(), INTERNAL)).status, 401);
        const from = hub.position;
        const token = await tokenFor('ada', { role: 'user' });
        const peer = await door.open(base(), { ...INTERNAL, ...bearer(token) });
        const text = randomUUID();
        const call = { name: 'far__echo', arguments: { text } };
        assert.equal(textOf((await peer.request('tools/call', call)).result), text);
        assert.equal(reasonOf(await peer.request('tools/call', { name: 'good__env' })), 'unknown_tool', 'no admin');
        if (door.name !== 'HTTP, modern') await connected(['ada', 'user']);
        await peer.close();
        // What the server was sent with the call, and before it.
        await hub.waitFor('far', 'call', undefined, from);
        const seen = hub.log.items.slice(from).filter(({ server, event }) => server === 'far' && event === 'request');
        assert.ok(seen.length > 0);
        for (const { headers } of seen) {
          const all = JSON.stringify(headers);
          assert.ok(!all.includes(token), 'the token stays here');
          const passed = Object.keys(INTERNAL).filter((name) => Object.hasOwn(headers as object, name));
          assert.deepEqual(passed, []);
        }
      });

      it('what a permission is missing for is named and not done; what none gives does not exist', async () => {
        const user = await door.open(base(), bearer(await tokenFor('bob', { role: 'user' })));
        const from = hub.position;
        const tools = JSON.stringify((await user.request('tools/list')).result);
        assert.ok(tools.includes('good__echo') && !tools.includes('good__add') && !tools.includes('good__env'));
        const add = { name: 'good__add', arguments: { a: 1, b: 2 } };
        const refused = await user.request('tools/call', add);
        assert.equal(reasonOf(refused), 'insufficient_scope', JSON.stringify(refused));
        assert.equal((refused.error?.data as Json)['scope'], ADDED);
        assert.equal(reasonOf(await user.request('tools/call', { name: 'good__env' })), 'unknown_tool');
        await user.close();
        const stepped = await door.open(base(), bearer(await tokenFor('bob', { role: 'user', permissions: [ADDED] })));
        assert.equal(textOf((await stepped.request('tools/call', add)).result), '3');
        await stepped.close();
        await hub.waitFor('good', 'call', ({ tool }) => tool === 'add', from);
        const called = hub.log.items.slice(from).flatMap(({ event, tool }) => (event === 'call' ? [tool] : []));
        assert.deepEqual(called, ['add']);
      });
    });
  }

  it('Phoenix: the token of a join is asked the same, and so is the subprotocol of a WebSocket', async () => {
    for (const [what, token] of Object.entries(badTokens(elsewhereUrl()))) {
      const peer = await PhoenixPeer.connect(base());
      const reply = await peer.exchange(['1', '1', 'mcp:gateway', 'phx_join', { token }]);
      assert.equal(reply[4]['status'], 'error', what);
      await peer.close();
      // What no subprotocol can be is refused by the client.
      if (token.includes('=')) continue;
      const status = await upgradeStatus(`${base().replace('http', 'ws')}/mcp/ws`, ['mcp', `bearer.${token}`], {});
      assert.equal(status, 401, what);
    }
    assert.equal(fetched, 0);
  });

  it('consoles, metrics and tickets ask the same', async () => {
    const json = { 'content-type': 'application/json' };
    const feed = `${base().replace('http', 'ws')}/mcp/dashboard/feed`;
    for (const [what, token] of [['none at all', ''], ...Object.entries(badTokens(elsewhereUrl()))] as const) {
      const headers = token === '' ? { ...INTERNAL } : { ...INTERNAL, ...bearer(token) };
      const body = '{"id":1,"method":"status"}';
      const admin = { method: 'POST', headers: { ...json, ...headers }, body };
      assert.equal((await fetchRaw(`${base()}/mcp/dashboard/admin`, admin)).status, 401, what);
      assert.equal((await fetchRaw(`${base()}/mcp/dashboard/events`, { headers })).status, 401, what);
      assert.equal(await upgradeStatus(feed, [], headers), 401, what);
      assert.equal((await fetchRaw(`${base()}/metrics`, { headers })).status, 401, what);
      assert.equal((await fetchRaw(`${base()}/mcp/ticket`, { method: 'POST', headers })).status, 401, what);
    }
    assert.equal(fetched, 0);
    const viewer = bearer(await tokenFor('eve', { role: 'user' }));
    for (const [path, method] of [
      ['/metrics', 'GET'],
      ['/mcp/dashboard/events', 'GET'],
      ['/mcp/dashboard/admin', 'POST'],
    ] as const) {
      const reply = await fetchRaw(`${base()}${path}`, { method, headers: { ...json, ...INTERNAL, ...viewer } });
      assert.equal(reply.status, 403, path);
    }
    assert.equal(await upgradeStatus(feed, [], { ...INTERNAL, ...viewer }), 403);
  });

  describe('what is another’s', () => {
    it('HTTP, modern: the state of a call that waits opens for nobody else, and the call is not harmed', async () => {
      const [ada, eve] = [bearer(await tokenFor('ada')), bearer(await tokenFor('eve'))];
      const nonce = randomUUID();
      const params = { name: 'double__hold', arguments: { nonce } };
      const ask = (more: Json, headers: Readonly<Record<string, string>>) =>
        modernRequest(base(), 'tools/call', { ...params, ...more }, { capabilities: ASKABLE, headers });
      const first = ask({}, ada);
      const call = await double.call(nonce);
      const sample = { messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 1 };
      const answer = call.ask('sampling/createMessage', sample);
      const { result } = await first;
      const [key = ''] = Object.keys(result?.['inputRequests'] as Json);
      const say = (text: string): Json => ({
        requestState: result?.['requestState'],
        inputResponses: { [key]: { role: 'assistant', model: 'm', content: { type: 'text', text } } },
      });
      assert.equal((await ask(say('eve was here'), eve)).error?.code, -32602);
      const retried = ask(say('ada'), ada);
      assert.match(JSON.stringify((await answer).result), /"ada"/);
      call.text('done');
      assert.equal(textOf((await retried).result), 'done');
    });

    it('Phoenix: a channel goes on as who joined it, whatever token of another it is shown', async () => {
      const peer = await PhoenixPeer.open(base(), '2025-11-25', bearer(await tokenFor('ada', { role: 'user' })));
      const root = await tokenFor('root', { role: 'admin' });
      const reply = await peer.exchange(['1', 'a', 'mcp:gateway', 'authenticate', { token: root }]);
      assert.equal(reply[4]['status'], 'error', JSON.stringify(reply));
      assert.equal(reasonOf(await peer.request('tools/call', { name: 'good__env' })), 'unknown_tool');
      await connected(['ada', 'user']);
      await peer.close();
    });

    it('a join begins a session of its own: nothing of who was there before is left', async () => {
      const peer = await PhoenixPeer.open(base(), '2025-11-25', bearer(await tokenFor('ada')));
      const gate = randomUUID();
      const call = { jsonrpc: '2.0', id: 'hers', method: 'tools/call' };
      const params = { name: 'good__slow', arguments: { gate } };
      await peer.exchange(['1', 's', 'mcp:gateway', 'mcp', { ...call, params }]);
      await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
      const eve = { token: await tokenFor('eve') };
      assert.equal((await peer.exchange(['2', '2', 'mcp:gateway', 'phx_join', eve]))[4]['status'], 'ok');
      await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
      const ping = await peer.exchange([
        '2',
        'p',
        'mcp:gateway',
        'mcp',
        { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      ]);
      assert.equal(ping[4]['status'], 'ok');
      const answers = await peer.frames.waitFor(([, , , event, { id }]) => event === 'mcp' && id === 1, 'an answer');
      assert.ok(answers[4]['error'], 'eve has not initialized, though ada had');
      // Her call was answered to her channel, before it closed, and by an error.
      const hers = peer.frames.items.filter(([, , , event, { id }]) => event === 'mcp' && id === 'hers');
      assert.deepEqual(
        hers.map(([joinRef, , , , { error }]) => [joinRef, typeof error]),
        [['1', 'object']],
      );
      await peer.close();
    });

    it('HTTP, modern: nothing is kept between requests, so each is asked for its token', async () => {
      const peer = new ModernPeer(base(), bearer(await tokenFor('ada')));
      assert.ok((await peer.request('tools/list')).result);
      assert.equal((await new ModernPeer(base()).request('tools/list', {}, 1)).error?.code, await unauthenticated());
    });

    async function unauthenticated(): Promise<number | undefined> {
      const reply = await fetchRaw(`${base()}/mcp`, { method: 'POST' });
      return (JSON.parse(reply.body) as { error?: { code: number } }).error?.code;
    }
  });
});
