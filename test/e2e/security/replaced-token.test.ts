/** A server that refuses the gateway's own token (OAuth, client credentials) gets a new one, and clients notice nothing. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../../support/eventually.js';
import { ROOT, startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { textOf } from '../../support/fixture-names.js';
import { OAuthWorld } from '../../support/oauth-world.js';
import { HttpSession } from '../../support/raw-http.js';
import { startRemote } from '../../support/remote-fixture.js';
import { settings } from '../../support/settings.js';

const LATER = pathToFileURL(path.join(ROOT, 'dist-test/test/fixtures/later.js')).href;

describe('a refused token of the gateway', () => {
  let hub: FixtureHub;
  let world: OAuthWorld;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    const { url } = await startRemote(hub, 'far', 'http');
    world = await OAuthWorld.start(url);
    const auth = { type: 'client_credentials', clientId: 'viable', clientSecret: 'secret-of-the-gateway' };
    gateway = await startGateway({
      env: { NODE_OPTIONS: `--import=${LATER}` },
      config: { mcpServers: { far: { url: `${world.origin}/mcp`, viable: { auth } } }, gateway: settings() },
    });
    await gateway.waitForTools(['far__echo']);
  });
  after(async () => {
    await gateway.stop();
    world.close();
    await hub.close();
  });

  const tokens = (): number => world.seen.filter(({ path }) => path === '/token').length;

  it('is replaced once, and the calls that were refused with it are made with the new one', async () => {
    const session = await HttpSession.open(gateway.url);
    const echo = (text: string): Promise<unknown> =>
      session
        .request('tools/call', { name: 'far__echo', arguments: { text } }, text)
        .then(({ result, error }) => (error ? JSON.stringify(error) : textOf(result)));
    assert.equal(await echo('before'), 'before');
    const before = tokens();
    for (let round = 1; round <= 3; round += 1) {
      // One that is refused as soon as it was got would be refused again, and is not replaced.
      gateway.kill('SIGUSR2');
      await gateway.waitForLog(({ event, by }) => event === 'later' && by === round * 60_000, 'a minute later');
      world.valid.clear(); // revoked by its server, long before its end
      const texts = Array.from({ length: 5 }, (_, n) => `round ${round} call ${n}`);
      // What was on its way is made again; what comes while the next session opens is told to come back, and does.
      const answers = await Promise.all(texts.map(echo));
      for (const [index, text] of texts.entries()) {
        if (answers[index] === text) continue;
        assert.match(String(answers[index]), /"upstream_unavailable"/);
        await eventually(async () => assert.equal(await echo(text), text));
      }
      assert.ok(
        answers.some((answer) => texts.includes(String(answer))),
        JSON.stringify(answers),
      );
      assert.equal(tokens(), before + round, 'one new token for all that were refused');
    }
    const upstream = await gateway.upstream('far');
    assert.equal(upstream.state, 'ready');
    await session.end();
  });
});
