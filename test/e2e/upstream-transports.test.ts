/** The same server behind the gateway over each upstream transport: stdio, Streamable HTTP, HTTP+SSE, WebSocket. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { FIXTURE_PROMPTS, FIXTURE_TOOLS, textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { startRemote, type RemoteFixture, type RemoteTransport } from '../support/remote-fixture.js';
import { settings } from '../support/settings.js';

const REMOTE: readonly RemoteTransport[] = ['http', 'sse', 'ws'];
const SECRET = 'Bearer upstream-credential-of-the-gateway';

describe('upstream transports', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;
  const remotes = new Map<RemoteTransport, RemoteFixture>();

  before(async () => {
    hub = await FixtureHub.start();
    for (const transport of REMOTE) remotes.set(transport, await startRemote(hub, transport, transport));
    const servers: Record<string, object> = { stdio: hub.stdio('sdk-server', 'stdio') };
    for (const [type, { url }] of remotes) servers[type] = { url, type, headers: { authorization: SECRET } };
    gateway = await startGateway({ config: { mcpServers: servers, gateway: settings() } });
    await gateway.waitForTools(['stdio', ...REMOTE].map((name) => `${name}__echo`));
    client = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  const request = async (method: string, params: Json): Promise<Json> => {
    const answer = await client.request(method, params);
    assert.ok(answer.result, JSON.stringify(answer.error));
    return answer.result;
  };
  const call = async (name: string, args: Json = {}): Promise<string> =>
    textOf(await request('tools/call', { name, arguments: args }));

  for (const name of ['stdio', ...REMOTE]) {
    describe(name, () => {
      it('is ready, and named in the admin view', async () => {
        const upstream = await gateway.upstream(name);
        assert.equal(upstream.state, 'ready');
        assert.equal(upstream.transport, name);
        assert.equal(upstream.serverInfo?.name, `fixture-${name}`);
        assert.equal(upstream.breaker, 'closed');
        assert.ok(upstream.protocolVersion);
        assert.deepEqual(
          [upstream.tools, upstream.prompts, upstream.resources, upstream.resourceTemplates],
          [FIXTURE_TOOLS.length, FIXTURE_PROMPTS.length, 2, 1],
        );
        assert.ok(!upstream.target.includes('credential'));
      });

      it('serves calls, resources, prompts, completions', async () => {
        assert.equal(await call(`${name}__echo`, { text: 'grüße' }), 'grüße');
        assert.equal((await call(`${name}__big`, { bytes: 300_000 })).length, 300_000);
        const read = await request('resources/read', { uri: `fixture://${name}/text` });
        assert.equal((read['contents'] as Json[])[0]?.['text'], `text of ${name}`);
        const prompt = await request('prompts/get', { name: `${name}__greet`, arguments: { who: 'Ada' } });
        assert.equal((prompt['messages'] as Json[]).length, 1);
        const ref = { type: 'ref/prompt', name: `${name}__greet` };
        const completed = await request('completion/complete', { ref, argument: { name: 'tone', value: 'fo' } });
        assert.deepEqual((completed['completion'] as Json)['values'], ['formal']);
      });

      it('delivers progress in order before the result', async () => {
        const from = client.messages.items.length;
        const token = randomUUID();
        const params = { name: `${name}__progress`, arguments: { steps: 10 }, _meta: { progressToken: token } };
        await request('tools/call', params);
        await request('ping', {});
        const wire = client.messages.items.slice(from);
        const steps = wire.filter((message) => message.params?.['progressToken'] === token);
        assert.deepEqual(
          steps.map((message) => message.params?.['progress']),
          Array.from({ length: 10 }, (_, index) => index + 1),
        );
        const end = wire.findIndex((message) => message.result?.['content'] !== undefined);
        assert.ok(steps.every((message) => wire.indexOf(message) < end));
      });

      it('relays list_changed', async () => {
        const tool = `extra-${randomUUID()}`;
        const changed = (message: Wire): boolean => message.method === 'notifications/tools/list_changed';
        // The gateway's own stream from an HTTP upstream may open after its handshake.
        await eventually(async () => {
          const from = client.messages.items.length;
          hub.tell(name, 'add-tool', { tool });
          await client.messages.waitFor(changed, 'list_changed', from, 500);
        });
        await gateway.waitForUpstream(name, (u) => u.tools === FIXTURE_TOOLS.length + 1, 'has one more tool');
        assert.equal(await call(`${name}__${tool}`), `called ${tool}`);
        hub.tell(name, 'remove-tool', { tool });
        await gateway.waitForUpstream(name, (u) => u.tools === FIXTURE_TOOLS.length, 'has lost it');
      });

      it('cancels upstream', async () => {
        const gate = randomUUID();
        const id = `cancel-${name}`;
        const call = client.request('tools/call', { name: `${name}__slow`, arguments: { gate } }, id);
        call.catch(() => undefined);
        await hub.waitFor(name, 'held', (event) => event['gate'] === gate);
        await client.notify('notifications/cancelled', { requestId: id, reason: 'enough' });
        await hub.waitFor(name, 'cancelled', (event) => event['gate'] === gate);
        await gateway.waitForUpstream(name, (upstream) => upstream.inFlight === 0, 'has nothing in flight');
      });
    });
  }

  it('sends the configured headers upstream, and nothing of the client', async () => {
    const requests = hub.events('http', 'request').map((event) => event['headers'] as Record<string, string>);
    assert.ok(requests.length > 0);
    assert.ok(requests.every((headers) => headers['authorization'] === SECRET));
    assert.ok(
      requests
        .slice(1)
        .every((headers) => headers['mcp-protocol-version'] !== undefined || headers['mcp-session-id'] === undefined),
    );
    const ours = requests.filter((headers) => headers['origin'] !== undefined || headers['cookie'] !== undefined);
    assert.deepEqual(ours, []);
  });

  it('keeps upstream credentials out of its log and admin answers', async () => {
    const seen = JSON.stringify([gateway.logs.items, await gateway.status()]);
    assert.ok(!seen.includes('upstream-credential'));
  });

  it('an HTTP upstream that forgets the session: established again, the next call works', async () => {
    const sessions = hub.events('http', 'session').length;
    hub.tell('http', 'forget');
    await hub.waitFor('http', 'forgot');
    await eventually(async () => assert.equal(await call('http__echo', { text: 'again' }), 'again'));
    assert.ok(hub.events('http', 'session').length > sessions, 'there is a new session');
    await gateway.waitForUpstream('http', (u) => u.state === 'ready', 'is ready');
    assert.equal(await call('http__echo', { text: 'and again' }), 'and again');
  });

  const sessionsOf = (name: string): number =>
    gateway.logs.items.filter(
      (line) => line.event === 'child/started' && String(line['path']).includes(`/upstream:${name}/sessions/`),
    ).length;
  const lossesOf = (name: string): number =>
    gateway.logs.items.filter((line) => line.event === 'upstream_lost' && line['upstream'] === name).length;

  // A suite of its own: mocha runs the tests of a suite before the suites in it, and these end the servers.
  describe('killed in mid-call', () => {
    for (const transport of REMOTE) {
      it(`${transport}: one typed error, the others undisturbed, back when it is back on its port`, async () => {
        const { url, child } = remotes.get(transport)!;
        const { reconnects } = await gateway.upstream(transport);
        const gate = randomUUID();
        const held = client.request('tools/call', { name: `${transport}__slow`, arguments: { gate } });
        await hub.waitFor(transport, 'held', (event) => event['gate'] === gate);
        child.kill('SIGKILL');
        const { error } = await held;
        assert.ok(error);
        assert.match(error.message, new RegExp(`"${transport}"`));
        const down = await gateway.waitForUpstream(transport, (u) => u.state !== 'ready', 'is down');
        assert.match(down.lastError!.message, /connect|lost|closed|broke/);
        assert.equal(await call('stdio__echo', { text: 'well' }), 'well');
        const refused = await client.request('tools/call', { name: `${transport}__echo`, arguments: { text: 'x' } });
        assert.ok(refused.error, 'a server that is down answers nothing');
        remotes.set(transport, await startRemote(hub, transport, transport, new URL(url).port));
        await gateway.waitForUpstream(transport, (u) => u.state === 'ready' && u.reconnects > reconnects, 'is back');
        assert.equal(await eventually(async () => await call(`${transport}__echo`, { text: 'back' })), 'back');
        assert.equal(sessionsOf(transport), lossesOf(transport) + 1, 'one session at a time, one after each loss');
      });
    }
  });
});
