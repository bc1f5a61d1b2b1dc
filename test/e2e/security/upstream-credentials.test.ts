/**
 * Credentials of upstreams: static headers, client credentials, a person's login, tokens that end. And threat row "token
 * passthrough": what clients send as credentials never travels upstream.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../../support/eventually.js';
import { ROOT, startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { OAuthWorld } from '../../support/oauth-world.js';
import { fetchRaw, HttpSession, POST_HEADERS } from '../../support/raw-http.js';
import { startRemote } from '../../support/remote-fixture.js';
import { settings } from '../../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const CLIENT_TOKEN = 'client-token-that-must-stay-here';

describe('upstream credentials', () => {
  let hub: FixtureHub;
  let world: OAuthWorld;
  let directory: string;
  let url: string;

  before(async () => {
    hub = await FixtureHub.start();
    ({ url } = await startRemote(hub, 'far', 'http'));
    world = await OAuthWorld.start(url);
    directory = await mkdtemp(path.join(tmpdir(), 'viable-credentials-'));
  });
  after(async () => {
    world.close();
    await hub.close();
    await rm(directory, { recursive: true });
  });

  const start = (viable: object, env: Record<string, string> = {}): Promise<Gateway> =>
    startGateway({
      env,
      config: {
        mcpServers: { far: { url: `${world.origin}/mcp`, viable } },
        gateway: settings({ credentials: { file: path.join(directory, 'credentials.json') } }),
      },
    });

  const echo = async (gateway: Gateway): Promise<void> => {
    const session = await HttpSession.open(gateway.url);
    const answer = await session.request('tools/call', { name: 'far__echo', arguments: { text: 'x' } });
    assert.equal(answer.error, undefined, JSON.stringify(answer.error));
    await session.end();
  };

  it('client credentials: discovered, and asked for with the audience', async () => {
    const auth = { type: 'client_credentials', clientId: 'viable', clientSecret: '${SECRET}', scope: 'tools' };
    const gateway = await start({ auth }, { SECRET: 'the-secret' });
    await gateway.waitForTools(['far__echo']);
    await echo(gateway);
    const [first] = world.seen.filter(({ path: at }) => at === '/token');
    assert.equal(first?.form['grant_type'], 'client_credentials');
    assert.equal(first.form['resource'], `${world.origin}/mcp`);
    assert.equal(first.form['scope'], 'tools');
    assert.equal(first.authorization, `Basic ${Buffer.from('viable:the-secret').toString('base64')}`);
    assert.ok(!gateway.tail().includes('the-secret'));
    await gateway.stop();
  });

  it('a wrong secret is an upstream that is away, with the reason, and no crash', async () => {
    const auth = { type: 'client_credentials', tokenUrl: `${world.origin}/nothing`, clientId: 'v', clientSecret: 's' };
    const gateway = await start({ auth });
    const { lastError } = await gateway.waitForUpstream('far', ({ lastError: error }) => error !== null, 'says why');
    assert.match(lastError?.message ?? '', /no credential for it/);
    await gateway.stop();
  });

  it('a person logs in once; the tokens are kept for the owner alone, and refreshed when they end', async () => {
    const auth = { type: 'authorization_code' };
    world.expiresIn = 30; // ends so soon that the next session refreshes it
    const gateway = await start({ auth });
    const { lastError } = await gateway.waitForUpstream('far', ({ lastError: error }) => error !== null, 'says why');
    assert.match(lastError?.message ?? '', /viable upstream login far/);
    const login = spawn(process.execPath, [CLI, '--socket', gateway.socketPath, '--json', 'upstream', 'login', 'far']);
    const done = new Promise<number | null>((resolve) => login.once('close', resolve));
    const printed = await new Promise<string>((resolve) =>
      login.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    const { url: address } = JSON.parse(printed) as { url: string };
    assert.match(address, /code_challenge_method=S256/);
    const authorize = await fetchRaw(address, {});
    const callback = String(authorize.headers.location);
    const stray = new URL(callback);
    stray.searchParams.set('state', 'another');
    assert.equal((await fetchRaw(stray.href, {})).status, 400);
    assert.equal((await fetchRaw(callback, {})).status, 200);
    assert.equal(await done, 0);
    await gateway.waitForTools(['far__echo']);
    await echo(gateway);
    const file = path.join(directory, 'credentials.json');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const [token] = world.seen.filter(({ path: at }) => at === '/token').slice(-1);
    await gateway.admin('send', { actor: 'upstream:far', message: 'reconnect' });
    await eventually(() =>
      assert.ok(
        world.seen.some(({ form }) => form['grant_type'] === 'refresh_token' && form['refresh_token'] !== undefined),
      ),
    );
    assert.ok(token);
    assert.match(await readFile(file, 'utf8'), /refresh-/);
    await gateway.stop();
  });

  it('static headers from the environment arrive; credentials of clients never do, in either era', async () => {
    const from = hub.position;
    const gateway = await startGateway({
      env: { FAR_TOKEN: 'configured-token' },
      config: {
        mcpServers: { far: { url, headers: { Authorization: 'Bearer ${FAR_TOKEN}', 'X-Team': 'core' } } },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['far__echo']);
    const secret = { authorization: `Bearer ${CLIENT_TOKEN}`, cookie: `s=${CLIENT_TOKEN}`, 'x-api-key': CLIENT_TOKEN };
    const session = await HttpSession.open(gateway.url);
    const call = {
      jsonrpc: '2.0',
      id: 'c',
      method: 'tools/call',
      params: { name: 'far__echo', arguments: { text: 'x' } },
    };
    assert.equal((await session.post(call, secret)).status, 200);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const modern = { ...call, params: { ...call.params, _meta: meta } };
    const headers = {
      ...POST_HEADERS,
      ...secret,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'far__echo',
    };
    const answer = await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(modern) });
    assert.equal(answer.status, 200, answer.body);
    const requests = hub.log.items.slice(from).filter(({ server, event }) => server === 'far' && event === 'request');
    assert.ok(requests.length > 3);
    for (const { headers: seen } of requests) {
      assert.equal((seen as Record<string, string>)['authorization'], 'Bearer configured-token');
      assert.ok(!JSON.stringify(seen).includes(CLIENT_TOKEN));
    }
    await gateway.stop();
  });
});
