/** Pools of real processes: who shares one, how many there are, who waits, and that none is left. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type PoolSnapshot } from '#src/admin/snapshot/pool.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { Collector } from '../support/otlp.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { HttpSession, type Json, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { ASKABLE, modernRequest } from './eras/modern-http.js';

const NAME = 'stateful';

describe('pools', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  async function start(viable: object, more: { readonly env?: Readonly<Record<string, string>> } = {}): Promise<void> {
    hub = await FixtureHub.start();
    const entry = { ...hub.stdio('raw/stateful', NAME), viable: { era: 'legacy', ...viable } };
    gateway = await startGateway({ config: { mcpServers: { [NAME]: entry }, gateway: settings() }, ...more });
    await gateway.waitForTools([`${NAME}__seen`]);
  }

  afterEach(async () => {
    await gateway.stop();
    await hub.close();
  });

  const call = async (
    client: { request: (method: string, params: Json) => Promise<Wire> },
    tool: string,
    args: Json = {},
  ) => await client.request('tools/call', { name: `${NAME}__${tool}`, arguments: args });

  const seen = async (client: HttpSession): Promise<{ pid: number; remembered: string[] }> =>
    JSON.parse(textOf((await call(client, 'seen')).result)) as { pid: number; remembered: string[] };

  const reasonOf = ({ error }: Wire): unknown => (error?.['data'] as Json | undefined)?.['reason'];

  const pool = async (): Promise<PoolSnapshot> => (await gateway.upstream(NAME)).pool;

  /** So many processes run, and the ledger says the same. */
  async function processes(count: number): Promise<void> {
    await eventually(
      async () => {
        assert.equal(hub.pids(NAME).length, count);
        const { available, vacant, inUse, overflow, size } = await pool();
        assert.equal(available + inUse, count);
        assert.equal(available + vacant + inUse - overflow, size);
      },
      { what: `${count} processes` },
    );
  }

  it('a process for each client session: nobody sees another’s state, and none is left when they have gone', async () => {
    await start({ sharing: 'session' });
    const clients = await Promise.all(Array.from({ length: 5 }, async () => await HttpSession.open(gateway.url)));
    const secrets = clients.map(() => randomUUID());
    await Promise.all(clients.map((client, i) => call(client, 'put', { value: secrets[i] })));
    const views = await Promise.all(clients.map(seen));
    assert.deepEqual(
      views.map(({ remembered }) => remembered),
      secrets.map((secret) => [secret]),
    );
    assert.equal(new Set(views.map(({ pid }) => pid)).size, 5);
    await processes(6);
    await Promise.all(clients.map((client) => client.end()));
    await processes(1);
    const next = await HttpSession.open(gateway.url);
    assert.deepEqual((await seen(next)).remembered, [], 'a new client finds nothing of theirs');
    await next.end();
  });

  it('who finds no session waits, then gets an error that says when to come back; others never notice', async () => {
    await start({ sharing: 'session', pool: { size: 2, overflow: 1, checkoutTimeout: 300, queue: 1 } });
    const [first, second] = [await HttpSession.open(gateway.url), await HttpSession.open(gateway.url)];
    await Promise.all([seen(first), seen(second)]);
    await processes(3);
    assert.equal((await pool()).overflow, 1);
    const third = await HttpSession.open(gateway.url);
    const late = call(third, 'seen');
    await eventually(async () => assert.equal((await pool()).waiting, 1));
    const fourth = await HttpSession.open(gateway.url);
    assert.equal(reasonOf(await call(fourth, 'seen')), 'pool_exhausted', 'the queue is full');
    await seen(first);
    const { error } = await late;
    const data = error?.['data'] as Json;
    assert.deepEqual([data['reason'], data['retryAfter'], data['server']], ['pool_exhausted', 1, NAME]);
    const { timeouts, refused, waiting } = await pool();
    assert.deepEqual({ timeouts, refused, waiting }, { timeouts: 1, refused: 1, waiting: 0 });
    await processes(3);
  });

  it('a process that is killed is replaced, and who waits for its place gets it', async () => {
    await start({ sharing: 'session', pool: { size: 2, overflow: 0, checkoutTimeout: 20_000 } });
    const [holder, waiter] = [await HttpSession.open(gateway.url), await HttpSession.open(gateway.url)];
    const { pid } = await seen(holder);
    const waiting = seen(waiter);
    await eventually(async () => assert.equal((await pool()).waiting, 1));
    process.kill(pid, 'SIGKILL');
    assert.notEqual((await waiting).pid, pid);
    await waiter.end();
    assert.notEqual((await seen(holder)).pid, pid, 'the same client session goes on with another process');
    await processes(2);
    const { lost, checkouts } = await pool();
    assert.deepEqual({ lost, checkouts }, { lost: 1, checkouts: 3 });
  });

  it('a trace says how long its call waited for a place', async () => {
    const collector = await Collector.start();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_TRACES_SAMPLER: 'always_on',
    };
    await start({ sharing: 'session', pool: { size: 2, overflow: 0, checkoutTimeout: 20_000 } }, { env });
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
    const [holder, waiter] = [await HttpSession.open(gateway.url), await HttpSession.open(gateway.url)];
    await seen(holder);
    const waiting = seen(waiter);
    await eventually(async () => assert.equal((await pool()).waiting, 1));
    await holder.end();
    await waiting;
    const waited = await collector.waitForSpan(
      ({ attributes, kind }) =>
        kind === 'SERVER' &&
        attributes['mcp.session.id'] === waiter.id &&
        attributes['gen_ai.tool.name'] === `${NAME}__seen`,
      'the call that waited',
    );
    assert.deepEqual(
      waited.events.map(({ name }) => name),
      ['viable.admitted', 'viable.pool_wait', 'viable.queue_wait'],
    );
    const [pooled, queued] = waited.events.slice(1).map(({ attributes }) => Number(attributes['viable.wait_ms']));
    assert.ok(
      pooled !== undefined && queued !== undefined && pooled > 0 && pooled <= queued && queued <= waited.durationMs,
    );
    await waiter.end();
    await collector.close();
  });

  it('calls of modern clients that a legacy server may ask reuse one process', async () => {
    await start({ sharing: 'auto' });
    const where = async (): Promise<number> => {
      const params = { name: `${NAME}__seen`, arguments: {} };
      const answer = await modernRequest(gateway.url, 'tools/call', params, { capabilities: ASKABLE });
      return (JSON.parse(textOf(answer.result)) as { pid: number }).pid;
    };
    const pids = new Set<number>();
    for (let i = 0; i < 5; i++) pids.add(await where());
    assert.equal(pids.size, 1);
    await processes(2);
    assert.equal((await pool()).checkouts, 5);
    await gateway.waitForUpstream(NAME, ({ pool: { inUse } }) => inUse === 0, 'gives all back');
  });

  it('several shared processes: calls in flight are spread over them', async () => {
    await start({ sharing: 'shared', pool: { size: 3, shared: 3, overflow: 0 } });
    await processes(3);
    const clients = await Promise.all(Array.from({ length: 6 }, async () => await WebSocketPeer.open(gateway.url)));
    const gates = clients.map(() => randomUUID());
    const calls = clients.map((client, i) => call(client, 'hold', { gate: gates[i] }));
    for (const gate of gates) await hub.waitFor(NAME, 'held', (event) => event['gate'] === gate);
    const byPid = new Map<number, number>();
    for (const { pid } of hub.events(NAME, 'held')) byPid.set(pid, (byPid.get(pid) ?? 0) + 1);
    assert.deepEqual([...byPid.values()], [2, 2, 2]);
    assert.equal((await pool()).inUse, 3);
    for (const gate of gates) hub.tell(NAME, 'release', { gate });
    await Promise.all(calls);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('kept ready before anybody came, and checked: one that has died meanwhile is replaced', async () => {
    await start({ sharing: 'session', pool: { size: 3, warm: 2, idleCheck: 200 } });
    await processes(3);
    const before = new Set(hub.pids(NAME));
    const client = await HttpSession.open(gateway.url);
    const { pid } = await seen(client);
    assert.ok(before.has(pid), 'it was there already');
    const primary = (await gateway.upstream(NAME)).pid;
    const spare = [...before].find((other) => other !== pid && other !== primary);
    assert.ok(spare !== undefined);
    process.kill(spare, 'SIGKILL');
    await eventually(() => assert.ok(hub.pids(NAME).every((other) => other !== spare)), { what: 'it is gone' });
    await processes(3);
    await client.end();
  });

  it('the pool’s actor killed: sessions of clients go on, and end with them', async () => {
    await start({ sharing: 'session' });
    const client = await HttpSession.open(gateway.url);
    await call(client, 'put', { value: 'mine' });
    const { pid } = await seen(client);
    const tree = JSON.stringify((await gateway.status()).tree);
    const [path] = /\/operations\/[^"]*stateful\/pool/.exec(tree) ?? assert.fail('no pool');
    await gateway.admin('kill', { actor: path });
    assert.deepEqual(await seen(client), { pid, remembered: ['mine'] });
    await processes(2);
    await client.end();
    await processes(1);
  });
});
