/**
 * Threat row "token in a query string", and every other way a secret comes in: through successes, refusals, defects and
 * crashes none is in anything that the gateway gives out: logs, spans, metrics, consoles, the page's feed, audit log, alarms.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { ADMIN_ACCESS } from '#src/admin/access.js';
import { type AdminMethod } from '#src/admin/protocol.js';
import { bearer, SECRET, tokenFor, unsigned } from '../../support/auth/tokens.js';
import { EventLog } from '../../support/event-log.js';
import { eventually, within } from '../../support/eventually.js';
import { ROOT, startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { Collector } from '../../support/otlp.js';
import { fetchRaw, initializeRequest, type Json, POST_HEADERS, SseStream } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';

const UPSTREAM_TOKEN = 'static-credential-of-the-upstream';
const CLIENT_SECRET = 'oauth-client-secret-of-the-gateway';
const SERVER_KEY = 'environment-key-of-the-server';
const DEFECTS = pathToFileURL(path.join(ROOT, 'dist-test/test/fixtures/defects.js')).href;
const INIT = JSON.stringify(initializeRequest('2025-11-25'));

describe('secrets', () => {
  let hub: FixtureHub;
  let collector: Collector;
  let strict: Server;
  let folder: string;
  let gateway: Gateway;
  /** What must not be seen, by what it is. */
  const secrets = new Map<string, string>();
  /** What was given out, by whom. */
  const outputs = new Map<string, string>();

  before(async () => {
    hub = await FixtureHub.start();
    collector = await Collector.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-secrets-'));
    // Refuses everything, and quotes what it was shown.
    strict = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => {
        const basic = Buffer.from((req.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
        res.writeHead(400, { 'content-type': 'text/plain' });
        res.end(`refused: ${JSON.stringify(req.headers)} ${basic} ${body}`);
      });
    });
    strict.listen(0, '127.0.0.1');
    await once(strict, 'listening');
    const strictUrl = `http://127.0.0.1:${(strict.address() as AddressInfo).port}/mcp`;
    const babbles = `console.error('key ' + process.env.SERVER_KEY, 'Bearer ' + process.env.SERVER_KEY); process.exit(1)`;
    gateway = await startGateway({
      env: { JWT_SECRET: SECRET, NODE_OPTIONS: `--import=${DEFECTS}`, OTEL_BSP_SCHEDULE_DELAY: '50' },
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          strict: { url: strictUrl, headers: { Authorization: `Bearer ${UPSTREAM_TOKEN}` } },
          oauth: {
            url: strictUrl,
            viable: {
              auth: { type: 'client_credentials', tokenUrl: strictUrl, clientId: 'v', clientSecret: CLIENT_SECRET },
            },
          },
          babbles: { command: process.execPath, args: ['-e', babbles], env: { SERVER_KEY } },
        },
        gateway: settings({
          auth: { revocations: path.join(folder, 'revoked.json') },
          limits: { failedLogins: 10_000 },
          logging: { level: 'trace' },
          audit: { path: path.join(folder, 'audit.jsonl') },
          telemetry: { endpoint: collector.url, samplingRate: 1 },
        }),
      },
    });
    await gateway.waitForUpstream('good', ({ state }) => state === 'ready', 'ready');
    for (const name of ['strict', 'oauth', 'babbles'])
      await gateway.waitForUpstream(name, ({ lastError }) => lastError !== null, 'has failed');
    await gateway.waitForLog(({ event }) => event === 'upstream_stderr', 'what the server babbles');
    for (const [what, secret] of Object.entries({ SECRET, UPSTREAM_TOKEN, CLIENT_SECRET, SERVER_KEY }))
      secrets.set(what, secret);
  });
  after(async () => {
    await gateway.stop().catch(() => undefined);
    strict.close();
    await collector.close();
    await hub.close();
    await rm(folder, { recursive: true });
  });

  const at = (where: string): string => `${gateway.url}${where}`;
  const ws = (where: string): string => at(where).replace(/^http/, 'ws');

  /** A good token that no other way in has, and that must not be seen. */
  async function secretToken(what: string, subject = `user-${secrets.size}`): Promise<string> {
    const token = await tokenFor(subject);
    secrets.set(`${what} (claims)`, token.split('.')[1] ?? '');
    secrets.set(`${what} (signature)`, token.split('.')[2] ?? '');
    return token;
  }

  function bad(what: string): string {
    const token = unsigned({ alg: 'HS256' }, { sub: what, iss: 'autonomous-opponent', aud: 'mcp-gateway' }, 'AAAA');
    secrets.set(what, token.split('.')[1] ?? '');
    return token;
  }

  const post = (where: string, headers: Record<string, string>, body = INIT) =>
    fetchRaw(at(where), { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body });

  /** How an upgrade ended: 101, or the status of the refusal. */
  async function upgrade(
    where: string,
    protocols: string[],
    headers: Record<string, string> = {},
    say: readonly string[] = [],
  ): Promise<{ status: number; socket: WebSocket; messages: EventLog<string>; closed: Promise<unknown> }> {
    const socket = new WebSocket(ws(where), protocols, { headers });
    const messages = new EventLog<string>();
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => messages.push(data.toString()));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const status = await within(
      new Promise<number>((resolve) => {
        socket.once('open', () => resolve(101));
        socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      }),
      where,
    );
    for (const text of say) socket.send(text);
    return { status, socket, messages, closed };
  }

  it('by header, address, subprotocol, ticket, Phoenix parameter; accepted and refused', async () => {
    assert.equal((await post('/mcp', bearer(await secretToken('header')))).status, 200);
    assert.equal((await post('/mcp', bearer(bad('bad-header')))).status, 401);
    assert.equal((await post('/mcp', { authorization: `Basic ${bad('basic')}` })).status, 401);
    for (const where of ['/mcp', '/mcp/s/good', '/metrics', '/mcp/nowhere', '/mcp/t/none', '/healthz'])
      await post(`${where}?token=${await secretToken(`address of ${where}`)}`, { cookie: bad('cookie') });

    const token = await secretToken('address of the stream');
    const stream = await SseStream.open(at(`/mcp/sse?token=${token}`));
    const endpoint = await stream.events.waitFor(({ event }) => event === 'endpoint', 'endpoint');
    assert.equal((await post(endpoint.data, bearer(token))).status, 202);
    assert.equal((await post(endpoint.data, bearer(await secretToken('another’s')))).status, 404);
    assert.equal((await SseStream.open(at(`/mcp/sse?token=${bad('bad-stream')}`))).status, 401);

    const issued = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: bearer(token) });
    const { ticket } = JSON.parse(issued.body) as { ticket: string };
    secrets.set('ticket', ticket);
    assert.equal((await upgrade(`/mcp/ws?ticket=${ticket}`, ['mcp'])).status, 101);
    assert.equal((await upgrade(`/mcp/ws?ticket=${ticket}`, ['mcp'])).status, 401);

    assert.equal((await upgrade(`/mcp/ws?token=${await secretToken('ws address')}`, ['mcp'])).status, 101);
    assert.equal((await upgrade('/mcp/ws', ['mcp', `bearer.${await secretToken('subprotocol')}`])).status, 101);
    assert.equal((await upgrade('/mcp/ws', ['mcp', `bearer.${bad('bad-subprotocol')}`])).status, 401);

    const phoenix = `/mcp/ws/websocket?vsn=2.0.0&token=`;
    const join = (payload: Json): string => JSON.stringify(['1', '1', 'mcp:gateway', 'phx_join', payload]);
    for (const [query, payload] of [
      [await secretToken('Phoenix socket'), {}],
      [bad('bad-Phoenix-socket'), {}],
      [bad('bad-Phoenix-socket-2'), { token: await secretToken('Phoenix join') }],
      [bad('bad-Phoenix-socket-3'), { token: bad('bad-Phoenix-join') }],
    ] as const) {
      const { messages, socket } = await upgrade(`${phoenix}${query}`, [], {}, [join(payload)]);
      await messages.waitFor((text) => text.includes('phx_reply'), 'the reply to the join');
      socket.terminate();
    }
  });

  it('in arguments, names and messages that are no messages', async () => {
    const headers = bearer(await secretToken('caller'));
    const opened = await post('/mcp', headers);
    const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const argument = await secretToken('argument');
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call' };
    const say = (message: unknown): ReturnType<typeof post> =>
      post('/mcp', session, typeof message === 'string' ? message : JSON.stringify(message));
    await say({ ...call, params: { name: 'good__echo', arguments: { text: argument } } });
    await say({ ...call, params: { name: 'good__throws', arguments: { token: argument } } });
    await say({ ...call, params: { name: argument } });
    await say(`{"token":"${argument}"`);
    await say({ jsonrpc: '2.0', id: 2, method: argument });
    await post('/mcp', { ...session, accept: argument });
    await post('/mcp', { ...session, 'mcp-protocol-version': argument });
    await post('/mcp', { ...headers, 'mcp-session-id': argument });
    await gateway.admin('send', {
      actor: '/admission/authenticator',
      message: 'revoke',
      args: { token: await secretToken('revoked') },
    });
  });

  it('in the text of a defect: of a WebSocket’s actor, of a Phoenix join', async () => {
    const socket = await upgrade('/mcp/ws', ['mcp'], bearer(await secretToken('before the defect')), [
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/viable/authenticate',
        params: { token: await secretToken('in band') },
      }),
    ]);
    await within(socket.closed, 'the connection of the actor that crashed is closed');
    const phoenix = `/mcp/ws/websocket?vsn=2.0.0`;
    secrets.set('defect', 'not-a-jwt-but-secret');
    const joined = await upgrade(phoenix, [], {}, [
      JSON.stringify(['1', '1', 'mcp:gateway', 'phx_join', { token: 'defect.not-a-jwt-but-secret' }]),
    ]);
    await within(joined.closed, 'the connection of the actor that crashed is closed');
    const crashes = (): number =>
      gateway.logs.items.filter(({ stack }) => String(stack).includes('cannot read')).length;
    await eventually(() => assert.ok(crashes() >= 2, `${crashes()} crash texts`));
  });

  it('everything that can be asked for is asked for', async () => {
    const admin = bearer(await tokenFor('root', { role: 'admin' }));
    const metrics = await fetchRaw(at('/metrics'), { headers: admin });
    assert.equal(metrics.status, 200);
    outputs.set('/metrics', metrics.body);
    const asked: Partial<Record<AdminMethod, Json>> = {
      logs: { lines: 10_000 },
      'policy-check': { tool: 'good__echo', role: 'user' },
      'tools-diff': { name: 'good__echo' },
      cancel: { id: 1 },
    };
    for (const [method, access] of Object.entries(ADMIN_ACCESS) as [AdminMethod, string][]) {
      if (access !== 'look') continue;
      const answer = await gateway.admin(method, asked[method] ?? {}).catch((error: unknown) => String(error));
      outputs.set(`admin ${method}`, JSON.stringify(answer));
    }
    assert.ok((outputs.get('admin logs') ?? '').length > 10_000);
    assert.ok((outputs.get('admin connections') ?? '').length > 100);
    const feed = await upgrade('/mcp/dashboard/feed', [], admin, [
      `${JSON.stringify({ id: 1, method: 'logs', params: { lines: 2_000, follow: true } })}\n`,
      `${JSON.stringify({ id: 2, method: 'watch', params: { intervalMs: 100 } })}\n`,
      `${JSON.stringify({ id: 3, method: 'connections' })}\n`,
    ]);
    assert.equal(feed.status, 101);
    for (const id of [1, 2, 3])
      await feed.messages.waitFor((text) => text.includes(`"id":${id},"ok":true`), `answer ${id}`);
    outputs.set('feed', feed.messages.items.join('\n'));
    feed.socket.terminate();
    const issued = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: admin });
    const { ticket } = JSON.parse(issued.body) as { ticket: string };
    const events = await SseStream.open(at(`/mcp/dashboard/events?ticket=${ticket}`));
    outputs.set('events', JSON.stringify(await events.events.waitFor(() => true, 'a snapshot')));
    events.close();
  });

  it('a crash of the process: its last words, spans, audit log and files', async () => {
    const token = await secretToken('crash');
    const crash = fetchRaw(at(`/mcp/sse?token=${token}`), { headers: { 'x-defect': '1', ...bearer(token) } });
    await assert.rejects(crash);
    assert.equal((await within(gateway.exited, 'exit', 15_000)).code, 70);
    assert.ok(gateway.logs.items.some(({ msg }) => String(msg).includes('outside any actor')));
    assert.ok(collector.spans.items.length > 0 && collector.metrics.items.length > 0);
    outputs.set('logs', gateway.tail(1_000_000));
    outputs.set('stdout', gateway.stdout.join('\n'));
    outputs.set('spans', JSON.stringify(collector.spans.items));
    outputs.set('OTLP metrics', JSON.stringify(collector.metrics.items));
    outputs.set('audit log', await readFile(path.join(folder, 'audit.jsonl'), 'utf8'));
    outputs.set('revocations', await readFile(path.join(folder, 'revoked.json'), 'utf8'));
  });

  it('and nothing of it holds a secret', () => {
    assert.ok(secrets.size > 40 && outputs.size > 15, `${secrets.size} secrets, ${outputs.size} outputs`);
    const seen: string[] = [];
    for (const [where, text] of outputs)
      for (const [what, secret] of secrets) {
        assert.ok(secret.length >= 15, what);
        const index = text.indexOf(secret);
        if (index >= 0) seen.push(`${what} in ${where}: …${text.slice(Math.max(0, index - 200), index)}`);
      }
    assert.deepEqual(seen, []);
  });
});
