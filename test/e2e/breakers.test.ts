/** Circuit breakers in a gateway that runs, over upstreams that really hang, fail and die. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type BreakerSnapshot, type GatewaySnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { fetchRaw, HttpSession, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
/** Long enough that a test sees an open breaker, short enough to wait for its end. */
const OPEN_FOR = 400;
const FAILURES = 3;

describe('circuit breakers', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;
  let config: (consecutiveFailures: number) => object;

  before(async () => {
    hub = await FixtureHub.start();
    const hasty = { timeouts: { request: 250 }, era: 'legacy' };
    config = (consecutiveFailures) => ({
      mcpServers: {
        moody: { ...hub.stdio('raw/moody', 'moody'), viable: hasty },
        marked: { ...hub.stdio('raw/moody', 'marked'), viable: { ...hasty, breaker: { catalogue: 'mark' } } },
        mortal: hub.stdio('raw/dies-in-call', 'mortal'),
        missing: { command: 'no-such-command-anywhere' },
        good: hub.stdio('sdk-server', 'good'),
      },
      gateway: settings({
        breaker: {
          consecutiveFailures,
          openFor: OPEN_FOR,
          probeAfter: 60_000,
          flap: { suppress: 100 },
        },
      }),
    });
    gateway = await startGateway({ config: config(FAILURES) });
    await gateway.waitForTools(['moody__work', 'marked__work', 'mortal__die', 'good__echo']);
    client = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });
  beforeEach(async () => {
    for (const name of ['moody', 'marked']) await mood(name, 'well');
    for (const name of ['moody', 'marked', 'mortal']) await viable('breaker', 'close', name);
  });

  async function mood(server: string, to: string): Promise<void> {
    const from = hub.position;
    hub.tell(server, 'mood', { mood: to });
    await hub.waitFor(server, 'mood', ({ mood: now }) => now === to, from);
  }

  const work = async (server = 'moody', nonce: string = randomUUID()): Promise<Wire> =>
    await client.request('tools/call', { name: `${server}__work`, arguments: { nonce } });

  const reasonOf = ({ error }: Wire): unknown => (error?.data as { reason?: unknown } | undefined)?.reason;

  const viable = async (...args: string[]): Promise<Run> =>
    await runNode(CLI, ['--socket', gateway.socketPath, ...args]);

  async function breaker(name: string): Promise<BreakerSnapshot> {
    const { breakers } = await gateway.status();
    const found = breakers.find((row) => row.name === name);
    assert.ok(found, name);
    return found;
  }

  async function until(name: string, matches: (row: BreakerSnapshot) => boolean): Promise<BreakerSnapshot> {
    return await eventually(async () => {
      const row = await breaker(name);
      if (!matches(row)) throw new Error(JSON.stringify(row));
      return row;
    });
  }

  interface Listed {
    readonly name: string;
    readonly description: string;
    readonly _meta?: Readonly<Record<string, unknown>>;
  }

  async function listed(): Promise<Map<string, Listed>> {
    const { result } = await client.request('tools/list', {});
    return new Map((result?.['tools'] as Listed[]).map((tool) => [tool.name, tool]));
  }

  async function openBySilence(server: string): Promise<void> {
    await mood(server, 'silent');
    const answers = await Promise.all(Array.from({ length: FAILURES }, async () => await work(server)));
    assert.deepEqual(answers.map(reasonOf), Array(FAILURES).fill('request_timeout'));
    await until(server, ({ state }) => state !== 'closed');
  }

  it('a server that hangs: timeouts open it, calls are refused at once, its tools are withdrawn, a probe closes it', async () => {
    const from = client.messages.items.length;
    await openBySilence('moody');
    const nonce = randomUUID();
    const refused = await work('moody', nonce);
    assert.equal(reasonOf(refused), 'breaker_open');
    assert.equal((refused.error?.data as { retryAfter: number }).retryAfter, 1);
    assert.equal((refused.error?.data as { server: string }).server, 'moody');
    await client.messages.waitFor((m) => m.method === 'notifications/tools/list_changed', 'list_changed', from);
    await eventually(async () => assert.ok(!(await listed()).has('moody__work'), 'it is listed'));
    const shown = await listed();
    assert.ok(shown.has('good__echo') && shown.has('mortal__die'), 'the others are');

    await mood('moody', 'well');
    const answer = await eventually(async () => {
      const tried = await work();
      if (tried.error) throw new Error(tried.error.message);
      return tried;
    });
    assert.match(textOf(answer.result), /^worked /);
    await until('moody', ({ state }) => state === 'closed');
    await eventually(async () => assert.ok((await listed()).has('moody__work')));
    assert.deepEqual(
      hub.events('moody', 'call').filter((event) => event['nonce'] === nonce),
      [],
      'what was refused never got there',
    );
  });

  it('half-open: one call passes and all others are refused, each with one answer; a probe that fails opens it again', async () => {
    await openBySilence('moody');
    await until('moody', ({ state }) => state === 'half_open');
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await work()));
    const reasons = answers.map(reasonOf);
    assert.equal(reasons.filter((reason) => reason === 'request_timeout').length, 1, reasons.join());
    assert.equal(reasons.filter((reason) => reason === 'breaker_open').length, 19, reasons.join());
    const row = await until('moody', ({ opens }) => opens >= 2);
    assert.ok(row.refused >= 19);
  });

  it('a probe whose client gives up hands the token on', async () => {
    await openBySilence('moody');
    await until('moody', ({ state }) => state === 'half_open');
    const nonce = randomUUID();
    const from = hub.position;
    const id = `probe-${nonce}`;
    client.socket.send(
      JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'moody__work', arguments: { nonce } },
      }),
    );
    await hub.waitFor('moody', 'call', (event) => event['nonce'] === nonce, from);
    await client.notify('notifications/cancelled', { requestId: id, reason: 'test' });
    await mood('moody', 'well');
    const answer = await eventually(async () => {
      const tried = await work();
      if (tried.error) throw new Error(tried.error.message);
      return tried;
    });
    assert.match(textOf(answer.result), /^worked /);
  });

  it('internal errors open it, and are passed on as they are', async () => {
    await mood('moody', 'broken');
    for (let i = 0; i < FAILURES; i++) assert.equal((await work()).error?.code, -32603);
    await until('moody', ({ state, cause }) => state !== 'closed' && cause === 'failures');
  });

  it('no client can open it: mistakes, unknown tools and cancelled calls count for nothing', async () => {
    await mood('moody', 'picky');
    for (let i = 0; i < 4 * FAILURES; i++) {
      assert.equal((await work()).error?.code, -32602);
      assert.equal((await client.request('tools/call', { name: 'moody__nothing', arguments: {} })).error?.code, -32602);
    }
    await mood('moody', 'silent');
    for (let i = 0; i < 2 * FAILURES; i++) {
      const from = hub.position;
      const id = `cancelled-${i}`;
      const params = { name: 'moody__work', arguments: { nonce: id } };
      client.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
      await hub.waitFor('moody', 'call', (event) => event['nonce'] === id, from);
      await client.notify('notifications/cancelled', { requestId: id });
    }
    await mood('moody', 'well');
    assert.match(textOf((await work()).result), /^worked /);
    const row = await breaker('moody');
    assert.deepEqual([row.state, row.consecutiveFailures], ['closed', 0]);
  });

  it('a server that dies in calls is opened by the calls that are lost, those of one session being one', async () => {
    const before = (await breaker('mortal')).opens;
    for (let i = 0; i < FAILURES; i++) {
      const state = await breaker('mortal');
      assert.equal(state.state, 'closed', `after ${i} deaths`);
      await gateway.waitForUpstream('mortal', (u) => u.state === 'ready', 'is back');
      const params = { name: 'mortal__die', arguments: { together: 8 } };
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => await client.request('tools/call', params)),
      );
      // It dies when all have reached it: none is left for the next session to die of.
      for (const answer of answers) assert.ok(answer.error, JSON.stringify(answer));
    }
    const row = await until('mortal', ({ opens }) => opens > before);
    assert.equal(row.cause === 'failures' || row.cause === null, true);
  });

  it('a server that cannot be started has an open breaker, and says what is wrong with it', async () => {
    const row = await until('missing', ({ state }) => state === 'open');
    assert.equal(row.cause, 'unreachable');
    assert.equal((await gateway.upstream('missing')).breaker, 'open');
  });

  it('marked instead of withdrawn, where the configuration says so', async () => {
    await openBySilence('marked');
    const tool = await eventually(async () => {
      const found = (await listed()).get('marked__work');
      if (found?._meta?.['viable/unavailable'] !== true) throw new Error(JSON.stringify(found));
      return found;
    });
    assert.match(tool.description, /^fixture tool work \(Unavailable now/);
    await viable('breaker', 'close', 'marked');
    await eventually(async () => {
      const found = (await listed()).get('marked__work');
      assert.equal(found?._meta, undefined);
      assert.equal(found?.description, 'fixture tool work');
    });
  });

  it('survives the end of its actor and a reconnect of its server', async () => {
    await viable('breaker', 'open', 'moody');
    const { actor } = await breaker('moody');
    await viable('kill', actor);
    await viable('send', 'upstream:moody', 'reconnect');
    await gateway.waitForUpstream('moody', (u) => u.state === 'ready', 'is back');
    assert.equal((await breaker('moody')).forced, true);
    assert.equal(reasonOf(await work()), 'breaker_open');
  });

  it('is operated by `viable breaker`', async () => {
    const names = JSON.parse((await viable('--json', 'breaker', 'list')).stdout) as BreakerSnapshot[];
    assert.deepEqual(
      names.map(({ name }) => name),
      ['moody', 'marked', 'mortal', 'missing', 'good', 'transport:http', 'transport:sse', 'transport:websocket'],
    );
    assert.match((await viable('breaker', 'list')).stdout, /moody\s+─ closed/);

    const opened = JSON.parse((await viable('--json', 'breaker', 'open', 'moody')).stdout) as BreakerSnapshot;
    assert.deepEqual([opened.name, opened.state, opened.forced], ['moody', 'open', true]);
    assert.equal(reasonOf(await work()), 'breaker_open');
    const shown = await viable('breaker', 'show', 'moody');
    assert.match(shown.stdout, /opened by operator/);
    assert.match(shown.stdout, /open for/);

    assert.match((await viable('breaker', 'half-open', 'moody')).stdout, /moody is ╌ half-open/);
    assert.match(textOf((await work()).result), /^worked /);
    await until('moody', ({ state }) => state === 'closed');

    const unknown = await viable('breaker', 'show', 'mooody');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Did you mean: moody/);
  });

  it('of a transport: newcomers are refused with 503 and Retry-After, those who are there at once, other transports not at all', async () => {
    await viable('breaker', 'open', 'transport:websocket');
    const url = `${gateway.url}/mcp/ws`;
    const upgrade = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': Buffer.from(randomUUID().slice(0, 16)).toString('base64') };
    const reply = await fetchRaw(url, { headers: { ...upgrade, ...key } });
    assert.equal(reply.status, 503);
    assert.match(String(reply.headers['retry-after']), /^\d+$/);
    assert.equal(reasonOf(JSON.parse(reply.body) as Wire), 'breaker_open');
    assert.equal(reasonOf(await work()), 'breaker_open');
    const session = await HttpSession.open(gateway.url);
    const answer = await session.request('tools/call', { name: 'good__echo', arguments: { text: 'hello' } });
    assert.equal(textOf(answer.result), 'hello');
    await session.end();
    await viable('breaker', 'close', 'transport:websocket');
    assert.match(textOf((await work()).result), /^worked /);
  });

  it('takes a changed configuration over at once', async () => {
    await gateway.reconfigure(config(1));
    await gateway.waitForLog((line) => line.event === 'configuration', 'the new configuration');
    await mood('moody', 'broken');
    assert.equal((await work()).error?.code, -32603);
    await until('moody', ({ state }) => state !== 'closed');
  });

  it('is told in the snapshot and the log', async () => {
    await openBySilence('moody');
    const status: GatewaySnapshot = await gateway.status();
    const row = status.breakers.find(({ name }) => name === 'moody');
    assert.ok(row && row.history.length > 0 && row.opens > 0 && row.flapPenalty > 0);
    assert.equal(status.upstreams.find(({ name }) => name === 'moody')?.breaker, row.state);
    await gateway.waitForLog((line) => line.event === 'breaker' && line['breaker'] === 'moody', 'the breaker’s line');
  });
});
