/**
 * `?token=`: works on the SSE stream and on WebSockets, is refused everywhere else, alone and by configuration; and wherever
 * it was shown, it is in nothing that the gateway writes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { bearer, SECRET, tokenFor } from '../../support/auth/tokens.js';
import { upgradeStatus } from '../../support/auth/peers.js';
import { reasonOf } from '../../support/doors.js';
import { EventLog } from '../../support/event-log.js';
import { eventually, within } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { Collector } from '../../support/otlp.js';
import { type Frame } from '../../support/phoenix-peer.js';
import { fetchRaw, initializeRequest, messagesIn, POST_HEADERS, SseStream } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { modernHeaders, modernMessage } from '../eras/modern-http.js';

const INIT = JSON.stringify(initializeRequest('2025-11-25'));
const JOIN = JSON.stringify(['1', '1', 'mcp:gateway', 'phx_join', {}]);

type Headers = Readonly<Record<string, string>>;

describe('tokens in addresses', () => {
  let hub: FixtureHub;
  let collector: Collector;
  let folder: string;
  let gateway: Gateway;
  /** Every token that was in an address. */
  const shown: string[] = [];

  const start = async (auth: object): Promise<void> => {
    gateway = await startGateway({
      env: { JWT_SECRET: SECRET, OTEL_BSP_SCHEDULE_DELAY: '50' },
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good') },
        gateway: {
          ...settings({
            auth: { ...auth },
            limits: { failedLogins: 10_000 },
            logging: { level: 'trace' },
            audit: { path: path.join(folder, 'audit.jsonl') },
            telemetry: { endpoint: collector.url, samplingRate: 1 },
          }),
          toolsets: { some: { tools: ['good__echo'] } },
        },
      },
    });
    await gateway.waitForUpstream('good', ({ state }) => state === 'ready', 'ready');
  };
  before(async () => {
    hub = await FixtureHub.start();
    collector = await Collector.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-query-'));
  });
  after(async () => {
    await collector.close();
    await hub.close();
    await rm(folder, { recursive: true });
  });

  const at = (where: string): string => `${gateway.url}${where}`;
  const ws = (where: string): string => at(where).replace(/^http/, 'ws');
  async function token(): Promise<string> {
    const made = await tokenFor(`user-${shown.length}`, { role: 'admin' });
    shown.push(made);
    return made;
  }

  /** Where it works: the status of opening this address, 101 and 200 when it is opened; of Phoenix what the join says. */
  const OPEN: Readonly<Record<string, (query: string, headers?: Headers) => Promise<number>>> = {
    '/mcp/sse': async (query, headers = {}) => {
      const stream = await SseStream.open(at(`/mcp/sse?${query}`), headers);
      stream.close();
      return stream.status;
    },
    '/mcp/ws': (query, headers = {}) => upgradeStatus(ws(`/mcp/ws?${query}`), ['mcp'], headers),
    '/mcp/ws/websocket': async (query, headers = {}) => {
      const socket = new WebSocket(ws(`/mcp/ws/websocket?vsn=2.0.0&${query}`), { headers });
      const frames = new EventLog<Frame>();
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
      await within(once(socket, 'open'), 'open');
      socket.send(JOIN);
      const [, , , , reply] = await frames.waitFor(([, , , event]) => event === 'phx_reply', 'the reply to the join');
      socket.terminate();
      return reply['status'] === 'ok' ? 101 : 401;
    },
  };

  const post = (where: string, headers: Headers, body: string) =>
    fetchRaw(at(where), { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body });
  /** Where it does not. */
  const REFUSED: Readonly<Record<string, (query: string) => ReturnType<typeof fetchRaw>>> = {
    'POST /mcp': (query) => post(`/mcp?${query}`, {}, INIT),
    'POST /mcp, modern': (query) =>
      post(`/mcp?${query}`, modernHeaders('tools/list'), JSON.stringify(modernMessage('tools/list'))),
    'GET /mcp': (query) => fetchRaw(at(`/mcp?${query}`), { headers: { accept: 'text/event-stream' } }),
    'DELETE /mcp': (query) => fetchRaw(at(`/mcp?${query}`), { method: 'DELETE' }),
    'POST /mcp/s/good': (query) => post(`/mcp/s/good?${query}`, {}, INIT),
    'POST /mcp/t/some': (query) => post(`/mcp/t/some?${query}`, {}, INIT),
    'POST /mcp/messages': (query) => post(`/mcp/messages?sessionId=x&${query}`, {}, INIT),
    'POST /mcp/ticket': (query) => post(`/mcp/ticket?${query}`, {}, ''),
    'GET /metrics': (query) => fetchRaw(at(`/metrics?${query}`)),
    'POST /mcp/dashboard/admin': (query) => post(`/mcp/dashboard/admin?${query}`, {}, '{"id":1,"method":"status"}'),
    'GET /mcp/dashboard/events': (query) => fetchRaw(at(`/mcp/dashboard/events?${query}`)),
  };

  describe('by default', () => {
    before(() => start({}));
    after(() => gateway.stop());

    for (const [where, open] of Object.entries(OPEN)) {
      it(`${where}: opens it, and one that is no token does not`, async () => {
        assert.equal(await open(`token=${await token()}`), where === '/mcp/sse' ? 200 : 101);
        assert.equal(await open(`token=${await token()}x`), 401);
        assert.equal(await open('token='), 401);
      });

      it(`${where}: two at once are refused, though each is good`, async () => {
        const [one, two] = [await token(), await token()];
        const issued = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: bearer(one) });
        const { ticket } = JSON.parse(issued.body) as { ticket: string };
        assert.equal(await open(`token=${one}&token=${two}`), 401);
        assert.equal(await open(`token=${one}&access_token=${two}`), 401);
        assert.equal(await open(`token=${one}&ticket=${ticket}`), 401);
        assert.equal(await open(`token=${one}`, bearer(one)), 401);
        if (where === '/mcp/sse') return;
        assert.equal(await upgradeOrJoin(where, `token=${one}`, `bearer.${two}`), 401);
      });
    }

    async function upgradeOrJoin(where: string, query: string, protocol: string): Promise<number> {
      if (where === '/mcp/ws') return upgradeStatus(ws(`${where}?${query}`), ['mcp', protocol], {});
      return OPEN[where]?.(query, { 'sec-websocket-protocol': protocol }) ?? 0;
    }

    for (const [where, ask] of Object.entries(REFUSED)) {
      it(`${where}: 401 and the typed error, however it is spelt`, async () => {
        for (const name of ['token', 'access_token']) {
          const reply = await ask(`${name}=${await token()}`);
          assert.equal(reply.status, 401, reply.body);
          assert.equal(reasonOf(messagesIn(reply)[0] ?? {}), 'unauthenticated');
          assert.match(reply.headers['www-authenticate'] ?? '', /^Bearer .*error="invalid_request"/);
        }
      });
    }

    it('the console’s WebSocket: 401', async () => {
      assert.equal(await upgradeStatus(ws(`/mcp/dashboard/feed?token=${await token()}`), [], {}), 401);
    });
  });

  describe('with gateway.auth.queryToken: false', () => {
    before(() => start({ queryToken: false }));
    after(() => gateway.stop());

    for (const [where, open] of Object.entries(OPEN)) {
      it(`${where}: does not open it; the header and a ticket do`, async () => {
        const good = await token();
        assert.equal(await open(`token=${good}`), 401);
        assert.equal(await open(`access_token=${good}`), 401);
        assert.equal(await open('', bearer(good)), where === '/mcp/sse' ? 200 : 101);
        const issued = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: bearer(good) });
        const { ticket } = JSON.parse(issued.body) as { ticket: string };
        assert.equal(await open(`ticket=${ticket}`), where === '/mcp/sse' ? 200 : 101);
      });
    }

    for (const [where, ask] of Object.entries(REFUSED)) {
      it(`${where}: 401, as before`, async () => {
        assert.equal((await ask(`token=${await token()}`)).status, 401);
      });
    }
  });

  describe('and afterwards', () => {
    before(() => start({}));

    it('no log, audit log, span, metric or trace of a console has any', async () => {
      const logs: unknown[] = [];
      for (const open of Object.values(OPEN)) for (const tail of ['', 'x']) await open(`token=${await token()}${tail}`);
      for (const ask of Object.values(REFUSED)) await ask(`token=${await token()}`);
      const last = await token();
      const span = { method: 'POST', headers: { ...POST_HEADERS, ...bearer(last) }, body: INIT };
      assert.equal((await fetchRaw(at('/mcp'), span)).status, 200);
      const metrics = await fetchRaw(at('/metrics'), { headers: bearer(last) });
      assert.equal(metrics.status, 200);
      for (const method of ['logs', 'traces', 'connections', 'status'] as const)
        logs.push(await gateway.admin(method, method === 'logs' ? { lines: 10_000 } : {}));
      await eventually(() => assert.ok(collector.spans.items.length > 0 && collector.metrics.items.length > 0));
      await gateway.stop();
      const audit = await readFile(path.join(folder, 'audit.jsonl'), 'utf8');
      assert.ok(audit.includes('"authentication"'));
      const outputs: Readonly<Record<string, string>> = {
        audit,
        metrics: metrics.body,
        consoles: JSON.stringify(logs),
        logs: gateway.tail(1_000_000),
        spans: JSON.stringify(collector.spans.items),
        'OTLP metrics': JSON.stringify(collector.metrics.items),
      };
      assert.ok(shown.length > 50, String(shown.length));
      for (const [where, text] of Object.entries(outputs))
        for (const secret of shown)
          for (const part of secret.split('.').slice(1)) assert.ok(!text.includes(part), `${where}: ${part}`);
    });
  });
});
