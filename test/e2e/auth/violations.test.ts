/** S5 counts what clients attempted and were denied; S4 hears of secrets that were changed. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { JwtAuthenticator } from '#src/auth/jwt-authenticator.js';
import { bearer } from '../../support/auth/tokens.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, ROOT, runNode, startGateway } from '../../support/gateway.js';
import { fetchRaw, HttpSession, initializeRequest, POST_HEADERS } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const OLD = { kid: 'old', secret: 'the secret that was there before this one' };
const NEW = { kid: 'new', secret: 'the secret that comes after that other one' };

describe('what the viable system hears of authentication and policy', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;

  const config = (...secrets: object[]): object => ({
    mcpServers: { up: { url: upstream.url } },
    gateway: {
      ...settings({ auth: { mode: 'required', secrets }, limits: { failedLogins: 1_000 } }),
      policy: { rules: [{ name: 'no-hold', effect: 'deny', tools: ['up__hold'] }] },
    },
  });

  before(async () => {
    upstream = await UpstreamDouble.start('legacy');
    gateway = await startGateway({ config: config(OLD) });
    await gateway.waitForUpstream('up', ({ state }) => state === 'ready', 'ready');
  });
  after(async () => {
    await gateway.stop();
    await upstream.close();
  });

  const token = (secret: typeof OLD, claims: object = {}): Promise<string> =>
    new JwtAuthenticator({ secrets: [secret] }).generateToken('ada', claims);
  const violations = async () => (await gateway.status()).vsm.violations;

  async function login(headers: Readonly<Record<string, string>>): Promise<number> {
    const body = JSON.stringify(initializeRequest('2025-11-25'));
    return (await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body }))
      .status;
  }

  it('a credential that is not good is an attempt, and so is a call that the policy denies; having none is not', async () => {
    assert.equal(await login({}), 401);
    assert.equal((await violations()).attemptsTotal, 0);
    assert.equal(await login(bearer('x.y.z')), 401);
    assert.equal(await login(bearer(await token(NEW))), 401);
    assert.equal((await violations()).attemptsTotal, 2);

    const session = await HttpSession.open(gateway.url, { headers: bearer(await token(OLD)) });
    const call = (name: string) => session.request('tools/call', { name, arguments: { text: 'x', nonce: 'x' } });
    assert.ok('result' in (await call('up__echo')));
    assert.equal((await violations()).attemptsTotal, 2);
    for (let times = 0; times < 3; times += 1) assert.ok('error' in (await call('up__hold')));
    const { attemptsIn5Minutes, attemptsTotal, breachesTotal } = await violations();
    assert.deepEqual([attemptsIn5Minutes, attemptsTotal, breachesTotal], [5, 5, 0]);
    // What is not there at all, nobody denied.
    assert.ok('error' in (await call('up__nothing')));
    assert.equal((await violations()).attemptsTotal, 5);
    await session.end();
  });

  it('a secret that is rotated in the configuration is news to S4, by its name alone', async () => {
    await gateway.reconfigure(config(NEW, OLD));
    const news = await eventually(async () => {
      const [first] = (await gateway.status()).vsm.intelligence.recent;
      assert.ok(first);
      return first;
    });
    assert.deepEqual(
      [news.kind, news.unit, news.what],
      ['environment', 'issuer:autonomous-opponent', 'its secrets were changed: now new, old, were old'],
    );
    assert.equal(await login(bearer(await token(NEW))), 200);
    const run = await runNode(path.join(ROOT, 'dist/cli.js'), ['--socket', gateway.socketPath, 'vsm']);
    assert.match(run.stdout, /environment +issuer:autonomous-opponent +its secrets were changed/);
    assert.doesNotMatch(JSON.stringify(gateway.logs.items), /the secret that/);
  });
});
