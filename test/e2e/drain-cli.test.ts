/** `viable drain`: the whole gateway and parts of it, with its progress, called off and brought back. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type ConnectionSnapshot, type DrainSnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { fetchRaw, HttpSession, initializeRequest, POST_HEADERS, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const FORCED = 130;
const UNFINISHED = 4;

describe('viable drain', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  beforeEach(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good'), other: hub.stdio('sdk-server', 'other') },
        gateway: settings({ draining: { defaultTimeout: 20_000, notificationInterval: 100 } }),
      },
    });
    await gateway.waitForTools(['good__echo', 'other__echo']);
  });
  afterEach(async () => {
    gateway.kill('SIGKILL');
    await gateway.exited;
    await hub.close();
  });

  const viable = async (...args: string[]): Promise<Run> =>
    await runNode(CLI, ['--socket', gateway.socketPath, ...args]);
  const drains = async (): Promise<readonly DrainSnapshot[]> => (await gateway.status()).drains;
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await drains()).find((drain) => drain.id === id)?.state;

  async function hold(peer: HttpSession | WebSocketPeer): Promise<{ call: Promise<Wire>; release: () => void }> {
    const gate = randomUUID();
    const call = peer.request('tools/call', { name: 'good__slow', arguments: { gate } });
    call.catch(() => undefined);
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    return { call, release: () => hub.tell('good', 'release', { gate }) };
  }

  async function initialize(): Promise<number> {
    const body = JSON.stringify(initializeRequest('2025-11-25'));
    return (await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: POST_HEADERS, body })).status;
  }

  it('--wait tells how it goes and ends with 0 when everything has finished', async () => {
    const { call, release } = await hold(await WebSocketPeer.open(gateway.url));
    const run = viable('drain', '--wait', '--json');
    await eventually(async () => assert.equal(await stateOf('gateway'), 'draining'));
    release();
    assert.ok((await call).result);
    const { code, stdout } = await run;
    assert.equal(code, 0);
    const seen = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as DrainSnapshot);
    assert.equal(seen[0]?.state, 'draining');
    assert.equal(seen[0].inFlight, 1);
    assert.equal(seen.at(-1)?.outcome, 'completed');
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  });

  it('--timeout: its time is over, with an exit code of its own and words for people', async () => {
    const { call } = await hold(await WebSocketPeer.open(gateway.url));
    const run = await viable('drain', '--wait', '--timeout', '0.2s');
    assert.equal(run.code, UNFINISHED);
    assert.match(run.stdout, /◐ draining gateway {2}\d+\/\d+ connections, 1 call left/);
    assert.match(run.stdout, /gateway {2}its time was over/);
    assert.ok((await call).error);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  });

  it('--grace: not ready, and open; --cancel: ready again, nobody was told', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    assert.match((await viable('drain', '--grace', '1m')).stdout, /lame duck gateway/);
    assert.equal((await fetchRaw(`${gateway.url}/readyz`)).status, 503);
    assert.equal((await gateway.status()).phase, 'lame_duck');
    assert.equal(await initialize(), 200);
    assert.match((await viable('drain', '--cancel')).stdout, /called off/);
    assert.equal((await fetchRaw(`${gateway.url}/readyz`)).status, 200);
    assert.deepEqual((await peer.request('ping')).result, {});
    assert.equal((await viable('drain', '--cancel')).code, 0);
  });

  it('--upstream: its tools leave the lists, its calls finish, it is disabled; --cancel brings it back', async () => {
    const peer = await HttpSession.open(gateway.url);
    const { call, release } = await hold(peer);
    const run = viable('drain', '--upstream', 'good', '--wait');
    await eventually(async () => assert.equal(await stateOf('upstream:good'), 'draining'));
    const listed = async (): Promise<unknown[]> =>
      (await peer.listAll('tools/list', 'tools')).map((tool) => tool['name']);
    await eventually(async () => assert.ok(!(await listed()).includes('good__echo')));
    const refused = await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
    assert.equal((refused.error?.data as { reason?: string } | undefined)?.reason, 'draining');
    const other = await peer.request('tools/call', { name: 'other__echo', arguments: { text: 'still here' } });
    assert.equal(textOf(other.result), 'still here');
    release();
    assert.ok((await call).result);
    assert.equal((await run).code, 0);
    assert.equal((await gateway.upstream('good')).state, 'disabled');
    assert.equal((await viable('drain', '--upstream', 'good', '--cancel')).code, 0);
    await gateway.waitForTools(['good__echo']);
    const unknown = await viable('drain', '--upstream', 'goof');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /no upstream "goof"[^]*good/);
  });

  it('--session: told, then closed; the others go on', async () => {
    const [peer, other] = [await WebSocketPeer.open(gateway.url), await WebSocketPeer.open(gateway.url)];
    const sessions = await gateway.admin<ConnectionSnapshot[]>('connections');
    const [first] = sessions.filter(({ transport }) => transport === 'websocket');
    assert.equal((await viable('drain', '--session', first?.sessionId ?? '', '--wait')).code, 0);
    const gone = await Promise.race([peer.closed, other.closed]);
    assert.equal(gone, 1001);
    const left = await gateway.admin<ConnectionSnapshot[]>('connections');
    assert.equal(left.filter(({ transport }) => transport === 'websocket').length, 1);
    assert.equal(await initialize(), 200);
  });

  it('--listener: nobody gets in; --cancel: it listens again on the same port', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    assert.equal((await viable('drain', '--listener', 'http', '--wait')).code, 0);
    assert.equal(await peer.closed, 1001);
    await assert.rejects(initialize(), /ECONNREFUSED/);
    assert.equal((await viable('drain', '--listener', 'http', '--cancel')).code, 0);
    await eventually(async () => assert.equal(await initialize(), 200));
    assert.equal((await viable('drain', '--listener', 'https')).code, 1);
  });

  it('viable force-shutdown stops at once', async () => {
    const { call } = await hold(await WebSocketPeer.open(gateway.url));
    assert.match((await viable('force-shutdown')).stdout, /stops/);
    assert.ok((await call).error);
    assert.deepEqual(await gateway.exited, { code: FORCED, signal: null });
  });

  it('takes one target and times that are times', async () => {
    assert.equal((await viable('drain', '--upstream', 'good', '--session', 'x')).code, 2);
    assert.equal((await viable('drain', '--timeout', 'soon')).code, 2);
  });
});
