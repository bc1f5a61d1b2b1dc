/** An upstream whose address another program has taken over, while the connection stood: asked when in doubt, anew when so. */
import assert from 'node:assert/strict';
import { MODERN_REVISION } from '#src/protocol/revisions.js';
import { server, type Server } from '../../support/actors/fake-transport.js';
import { story, UpstreamWorld } from '../../support/actors/upstream-world.js';

const MODERN: Server = server(['young'], {
  discover: { resultType: 'complete', supportedVersions: [MODERN_REVISION], capabilities: { tools: {} } },
});
const LEGACY = server(['old']);

describe('upstream in doubt', () => {
  let world: UpstreamWorld;

  afterEach(() => world.system.shutdown());

  async function start(era: 'auto' | 'legacy'): Promise<void> {
    world = new UpstreamWorld({ viable: { era } });
    world.is = { ...LEGACY };
    await world.start();
    assert.equal(world.gate.era, 'legacy');
  }

  const questions = (): number => world.transport.requests('server/discover').length;

  async function doubt(): Promise<void> {
    world.transport.handlers.onDoubt();
    await world.settle();
    await world.advance(1);
  }

  it('is begun anew in the other era when a server of that era answers; calls that were sent fail once', async () => {
    await start('auto');
    const { client } = world.call(1);
    await world.settle();
    Object.assign(world.is ?? {}, MODERN);
    await doubt();
    assert.equal(world.transports.length, 2);
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.era, 'modern');
    assert.deepEqual(
      world.view.listing?.tools.map(({ name }) => name),
      ['young'],
    );
    assert.deepEqual(story(client), ['call/failed upstream_lost']);
  });

  it('stays when the same server answers, and is not asked again at once', async () => {
    await start('auto');
    const before = questions();
    for (let times = 0; times < 5; times++) world.transport.handlers.onDoubt();
    await doubt();
    await doubt();
    assert.equal(questions(), before + 1);
    assert.equal(world.transports.length, 1);
    await world.advance(1_000);
    await doubt();
    assert.equal(questions(), before + 2);
  });

  it('is not asked when the configuration says what it is', async () => {
    await start('legacy');
    await doubt();
    assert.equal(questions(), 0);
    assert.equal(world.transports.length, 1);
  });
});
