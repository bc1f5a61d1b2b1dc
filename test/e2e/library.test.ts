/** The library: a program runs the gateway in its own process, routes messages itself and hears what happens. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CLIENT_TRANSPORTS,
  createLog,
  Gateway,
  type GatewayEvents,
  JwtAuthenticator,
  loadConfig,
  type LogOutput,
  REQUEST_TRANSPORTS,
  Tracing,
} from '#src/index.js';
import { EventLog } from '../support/event-log.js';
import { eventually, within } from '../support/eventually.js';
import { Collector } from '../support/otlp.js';
import { HttpSession } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { UpstreamDouble } from './eras/upstream-double.js';

const SECRET = 'library-secret-library-secret-library';

/** What happened, in the order in which it was announced. */
type Happened = {
  [E in keyof GatewayEvents]: { readonly name: E; readonly event: GatewayEvents[E] };
}[keyof GatewayEvents];

const EVENTS = [
  'started',
  'ended',
  'drain',
  'upstream/up',
  'upstream/down',
  'breaker',
  'alarm/raised',
  'alarm/escalated',
  'alarm/acknowledged',
  'alarm/cleared',
  'connection/opened',
  'connection/closed',
  'configuration/applied',
  'configuration/refused',
] as const satisfies readonly (keyof GatewayEvents)[];

describe('library', () => {
  let directory: string;
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  let log: LogOutput;
  let happened: EventLog<Happened>;
  /** What the configuration is when it is read again. */
  let document: object;
  const tokens = new JwtAuthenticator({ secrets: [{ kid: 'current', secret: SECRET }] });

  const options = (over: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}): object => ({
    mcpServers: { up: { url: upstream.url } },
    gateway: settings({
      auth: { mode: 'optional', secrets: [{ kid: 'current', secret: SECRET }] },
      limits: { roles: { user: 20 } },
      policy: { rules: [{ name: 'trial', effect: 'deny', subjects: ['trial-*'], tools: ['up__hold'] }] },
      vsm: { control: { interval: 500 } },
      ...over,
    }),
  });
  const load = async () =>
    await loadConfig({
      document,
      env: {},
      overrides: { host: '127.0.0.1', port: 0, adminSocket: path.join(directory, 'admin.sock') },
    });

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-library-'));
    upstream = await UpstreamDouble.start('modern');
    document = options();
    const loaded = await load();
    assert.ok(loaded.ok);
    log = createLog('debug', false);
    log.setQuiet(true);
    gateway = new Gateway({ config: loaded.config, reload: load, log });
    happened = new EventLog();
    for (const name of EVENTS) gateway.on(name, (event) => happened.push({ name, event } as Happened));
    await gateway.start();
    await heard('upstream/up');
  });
  afterEach(async () => {
    await gateway.forceShutdown();
    await upstream.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function heard<E extends keyof GatewayEvents>(
    name: E,
    matches: (event: GatewayEvents[E]) => boolean = () => true,
    from = 0,
  ): Promise<GatewayEvents[E]> {
    const found = await happened.waitFor(
      (item) => item.name === name && matches(item.event as GatewayEvents[E]),
      name,
      from,
    );
    return found.event as GatewayEvents[E];
  }

  const call = (id: string | number, tool: string, args: Readonly<Record<string, unknown>> = {}) =>
    ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } }) as const;

  function reasonOf(response: Awaited<ReturnType<Gateway['routeMessage']>>): unknown {
    assert.ok('error' in response, JSON.stringify(response));
    return (response.error.data as { reason?: unknown } | undefined)?.reason;
  }

  it('routes a call of a trusted user and answers under its id', async () => {
    const response = await gateway.routeMessage('ada', call('my-id', 'up__echo', { text: 'hello' }));
    assert.ok('result' in response, JSON.stringify(response));
    assert.equal(response.id, 'my-id');
    assert.match(JSON.stringify(response.result), /hello/);
    assert.equal(upstream.requests('tools/call').length, 1);
  });

  it('what is routed is counted by itself, and shown from the first message on', async () => {
    const transports = (): string[] => gateway.getDashboardMetrics().errors.map(({ transport }) => transport);
    assert.deepEqual(transports(), CLIENT_TRANSPORTS);
    await gateway.routeMessage('ada', call(1, 'up__echo', { text: 'hello' }));
    const { errors, requests, throughput, connections, breakers } = gateway.getDashboardMetrics();
    assert.deepEqual(transports(), REQUEST_TRANSPORTS);
    assert.deepEqual(
      errors.map(({ samples }) => samples),
      [0, 0, 0, 1],
    );
    assert.deepEqual([requests.answered, throughput.messagesTotal], [1, 2]);
    assert.deepEqual([connections.total, connections.byTransport], [0, { http: 0, sse: 0, websocket: 0 }]);
    assert.deepEqual(
      breakers.map(({ name }) => name),
      ['up', ...CLIENT_TRANSPORTS.map((transport) => `transport:${transport}`)],
    );
    const unit = () =>
      gateway.getDashboardMetrics().vsm.operations.units.find((one) => one.unit === 'transport:in-process');
    await eventually(async () => {
      await gateway.routeMessage({ subject: 'ada', role: 'admin' }, call(2, 'up__echo', { text: 'again' }));
      assert.ok((unit()?.rate ?? 0) > 0);
    });
  });

  it('two callers may use one id at a time; each gets its own answer', async () => {
    const [first, second] = ['first', 'second'].map((nonce) =>
      gateway.routeMessage('ada', call(1, 'up__hold', { nonce })),
    );
    (await upstream.call('second')).text('of the second');
    (await upstream.call('first')).text('of the first');
    const answers = await Promise.all([first!, second!]);
    assert.deepEqual(
      answers.map(({ id }) => id),
      [1, 1],
    );
    assert.match(JSON.stringify(answers[0]), /of the first/);
    assert.match(JSON.stringify(answers[1]), /of the second/);
  });

  it('a token is verified, and is of the user that is named', async () => {
    const authToken = await tokens.generateToken('ada', { role: 'premium' });
    assert.ok('result' in (await gateway.routeMessage('ada', call(1, 'up__echo'), { authToken })));
    const others = await gateway.routeMessage('eve', call(1, 'up__echo'), { authToken });
    assert.equal(reasonOf(others), 'unauthenticated');
    const forged = `${authToken.slice(0, -4)}AAAA`;
    assert.equal(
      reasonOf(await gateway.routeMessage('ada', call(1, 'up__echo'), { authToken: forged })),
      'unauthenticated',
    );
    assert.equal(upstream.requests('tools/call').length, 1);
  });

  it('the limits of the role and the policy hold as for clients', async () => {
    for (let count = 0; count < 20; count += 1)
      assert.ok('result' in (await gateway.routeMessage('ada', { jsonrpc: '2.0', id: count, method: 'tools/list' })));
    // The limit refills while the loop runs.
    await eventually(async () => {
      const limited = await gateway.routeMessage('ada', { jsonrpc: '2.0', id: 21, method: 'tools/list' });
      assert.equal(reasonOf(limited), 'rate_limited');
    });
    const trusted = { subject: 'trial-1', role: 'premium' } as const;
    const listed = await gateway.routeMessage(trusted, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    assert.match(JSON.stringify(listed), /up__echo/);
    assert.doesNotMatch(JSON.stringify(listed), /up__hold/);
    assert.equal(reasonOf(await gateway.routeMessage(trusted, call(2, 'up__hold'))), 'unknown_tool');
  });

  it('one server is reached by its own names; a route that is none is refused', async () => {
    const response = await gateway.routeMessage('ada', call(1, 'echo', { text: 'alone' }), { route: '/mcp/s/up' });
    assert.match(JSON.stringify(response), /alone/);
    assert.equal(reasonOf(await gateway.routeMessage('ada', call(1, 'echo'), { route: '/mcp/s/no' })), 'unknown_route');
  });

  it('continues the trace of the program', async () => {
    const collector = await Collector.start();
    try {
      document = options({ telemetry: { endpoint: collector.url, samplingRate: 1 } });
      gateway.reload('test');
      await eventually(() => assert.equal(log.ring.last(1, ({ event }) => event === 'telemetry_started').length, 1));
      await Tracing.withSpan('app.request', { kind: 'client' }, async () => {
        const traceContext = Tracing.injectTraceContext({ 'content-type': 'application/json' });
        return await gateway.routeMessage('ada', call(1, 'up__echo'), { traceContext });
      });
      const meta = upstream.requests('tools/call').at(-1)?.params?.['_meta'] as Record<string, unknown>;
      assert.equal(meta['content-type'], undefined);
      await gateway.forceShutdown(); // sends what waits
      const [app, server, client] = await Promise.all(
        ['app.request', 'tools/call up__echo', 'tools/call echo'].map((name) =>
          collector.waitForSpan((span) => span.name === name, name),
        ),
      );
      assert.equal(server?.parentSpanId, app?.spanId);
      assert.equal(client?.parentSpanId, server?.spanId);
      assert.equal(meta['traceparent'], `00-${app?.traceId}-${client?.spanId}-01`);
    } finally {
      await collector.close();
    }
  });

  it('tells what the server says meanwhile; a call that is given up is cancelled at the server', async () => {
    const notifications = new EventLog<string>();
    const stop = new AbortController();
    const params = { name: 'up__hold', arguments: { nonce: 'x' }, _meta: { progressToken: 'p' } };
    const message = { jsonrpc: '2.0', id: 9, method: 'tools/call', params } as const;
    const response = gateway.routeMessage('ada', message, {
      signal: stop.signal,
      onNotification: ({ method, params: said }) => notifications.push(`${method} ${JSON.stringify(said)}`),
    });
    const held = await upstream.call('x');
    const { progressToken } = held.message.params?.['_meta'] as { progressToken: unknown };
    held.notify('notifications/progress', { progressToken, progress: 1 });
    assert.match((await notifications.next(0)) ?? '', /progress .*"progressToken":"p"/);
    stop.abort();
    assert.equal(reasonOf(await response), 'cancelled_by_gateway');
    await within(held.closed, 'the request is cancelled');
  });

  it('what is no request is answered with what is wrong with it', async () => {
    const route = async (message: unknown) =>
      await gateway.routeMessage('ada', message as Parameters<Gateway['routeMessage']>[1]);
    assert.equal(reasonOf(await route({ id: 4, method: 'tools/list' })), 'invalid_request');
    assert.equal(reasonOf(await route({ jsonrpc: '2.0', method: 'tools/list' })), 'invalid_request');
    assert.equal(reasonOf(await route(undefined)), 'invalid_request');
    assert.equal(reasonOf(await route({ jsonrpc: '2.0', id: 4, method: 'no/such' })), 'method_not_found');
    assert.equal(reasonOf(await route({ jsonrpc: '2.0', id: 4, method: 'subscriptions/listen' })), 'method_not_found');
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`name-${index}`, index]));
    assert.equal(
      reasonOf(await route({ jsonrpc: '2.0', id: 4, method: 'tools/list', params: many })),
      'too_many_values',
    );
  });

  it('a drain waits for routed calls, then takes none, and says how it goes', async () => {
    const running = gateway.routeMessage('ada', call(1, 'up__hold', { nonce: 'last' }));
    const held = await upstream.call('last');
    const outcomes: string[] = [];
    const stopped = gateway.gracefulShutdown({ timeout: 10_000, callback: (outcome) => void outcomes.push(outcome) });
    await heard('drain', ({ inFlight, state }) => state === 'draining' && inFlight === 1);
    assert.equal(reasonOf(await gateway.routeMessage('ada', call(2, 'up__echo'))), 'draining');
    held.text('done in time');
    assert.match(JSON.stringify(await running), /done in time/);
    assert.equal(await stopped, outcomes[0]);
    assert.deepEqual(await heard('ended'), { kind: 'drained', outcome: outcomes[0] });
    assert.equal(reasonOf(await gateway.routeMessage('ada', call(3, 'up__echo'))), 'draining');
  });

  it('a forced stop answers what is routed with an error', async () => {
    const running = gateway.routeMessage('ada', call(1, 'up__hold', { nonce: 'cut' }));
    await upstream.call('cut');
    await gateway.forceShutdown();
    assert.equal(reasonOf(await running), 'cancelled_by_gateway');
  });

  it('announces clients, servers, breakers, alarms and configurations', async () => {
    assert.deepEqual(await heard('started'), { url: gateway.url });
    assert.deepEqual(await heard('upstream/up'), { name: 'up', tools: 2 });

    const session = await HttpSession.open(new URL(gateway.url).origin);
    const opened = await heard('connection/opened');
    assert.deepEqual([opened.principal, opened.transport], [null, 'http']);
    await session.end();
    assert.equal((await heard('connection/closed')).sessionId, opened.sessionId);

    const port = upstream.port;
    await upstream.close();
    void gateway.routeMessage('ada', call(1, 'up__echo'));
    assert.equal((await heard('upstream/down')).name, 'up');
    assert.equal((await heard('breaker', ({ state }) => state === 'open')).name, 'up');
    const { source } = await heard('alarm/raised', ({ index }) => index === 'breaker_open');
    assert.equal(source, 'upstream:up');
    const from = happened.items.length;
    upstream = await UpstreamDouble.start('modern', { port });
    await heard('upstream/up', undefined, from);
    await heard('breaker', ({ state }) => state === 'closed', from);
    await heard('alarm/cleared', ({ index }) => index === 'breaker_open', from);

    document = options({ requests: { timeout: 12_345 } });
    gateway.reload('test');
    assert.equal((await heard('configuration/applied')).version, 2);
    document = { gateway: { nonsense: true } };
    gateway.reload('test');
    assert.match((await heard('configuration/refused')).problems, /nonsense/);
  });

  it('a listener that throws harms nobody and is logged; one that was taken back hears nothing', async () => {
    const late: unknown[] = [];
    const off = gateway.on('configuration/refused', (event) => late.push(event));
    gateway.on('configuration/refused', () => {
      throw new Error('of the program');
    });
    document = { gateway: { nonsense: true } };
    gateway.reload('test');
    await heard('configuration/refused');
    await eventually(() => assert.equal(log.ring.last(10, ({ event }) => event === 'listener_failed').length, 1));
    off();
    const from = happened.items.length;
    gateway.reload('test');
    await heard('configuration/refused', undefined, from);
    assert.equal(late.length, 1);
  });

  it('before the start nothing is routed', async () => {
    const loaded = await load();
    assert.ok(loaded.ok);
    const other = new Gateway({ config: loaded.config, log });
    assert.equal(reasonOf(await other.routeMessage('ada', call(1, 'up__echo'))), 'cancelled_by_gateway');
  });
});
