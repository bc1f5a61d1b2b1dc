import assert from 'node:assert/strict';
import { concurrency } from '#src/actors/concurrency.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { type ServerConfig } from '#src/config/types.js';
import { configOf, live, World } from '../../support/actors/world.js';

const PATH = '/concurrency';

describe('concurrency actor', () => {
  let world: World;
  let gate: UpstreamGate;
  let config: ServerConfig;

  const configure = (viable: object = {}): void => {
    const servers = configOf({
      mcpServers: { up: { command: 'none', viable: { maxInFlight: 100, ...viable } } },
      gateway: { concurrency: { minimumSamples: 5, min: 10 } },
    }).servers;
    config = servers.get('up') ?? assert.fail();
    gate.maxInFlight = config.maxInFlight;
  };

  beforeEach(async () => {
    world = new World();
    gate = new UpstreamGate('up', 100, 60_000);
    configure();
    await world.boot({ [PATH]: live(concurrency({ gate, config: () => config })) });
  });

  /** A second in which `count` calls at a time took this long. */
  async function second(ms: number, peak: number, kind = 't', count = 50): Promise<void> {
    for (let i = 0; i < count; i++) gate.answers.add(kind, ms);
    gate.peak = peak;
    await world.advance(1_000);
  }

  it('lets everything through until it knows better', async () => {
    assert.ok(gate.limit >= 100);
    await world.advance(10_000, 1_000);
    assert.ok(gate.limit >= 100);
    assert.equal(gate.gradient, null);
  });

  it('falls while the server queues, never below its floor, and rises again', async () => {
    await second(10, 100);
    for (let i = 0; i < 10; i++) await second(200, Math.floor(gate.limit));
    assert.ok(gate.limit < 40, String(gate.limit));
    for (let i = 0; i < 100; i++) await second(2_000 * (i + 1), Math.floor(gate.limit));
    assert.ok(gate.limit >= 10);
    for (let i = 0; i < 60; i++) await second(5, Math.floor(gate.limit));
    assert.equal(gate.limit, 100);
  });

  it('is not moved by one slow call, nor by a tool that always is', async () => {
    await second(10, 100);
    await second(30_000, 100, 'slow', 5);
    gate.answers.add('t', 60_000);
    await second(10, 100);
    await second(30_000, 100, 'slow', 5);
    assert.equal(gate.limit, 100);
  });

  it('is the configured bound where nothing adapts, and follows a changed bound at once', async () => {
    await second(10, 100);
    for (let i = 0; i < 5; i++) await second(500, 100);
    assert.ok(gate.limit < 100);
    configure({ maxInFlight: 20 });
    await second(10, 20);
    assert.ok(gate.limit <= 20);
    configure({ concurrency: { adaptive: false } });
    await world.advance(1_000);
    assert.equal(gate.limit, 100);
  });

  it('goes on after a crash with what it knew', async () => {
    await second(10, 100);
    await second(500, 100);
    const { limit } = gate;
    world.system.kill(PATH);
    await world.settle();
    assert.equal(gate.limit, limit);
    await second(500, 100);
    assert.ok(gate.limit < limit);
  });

  it('keeps apart no more kinds of calls than it has room for', () => {
    for (let i = 0; i < 5_000; i++) gate.answers.add(`kind ${i}`, 1);
    const all = [...gate.answers.all()];
    assert.ok(all.length <= 257);
    assert.equal(
      all.reduce((sum, { count }) => sum + count, 0),
      5_000,
    );
  });
});
