/** The search over thousands of tools is indexed in slices, between which everybody else has the event loop. */
import assert from 'node:assert/strict';
import { catalogue } from '#src/actors/catalogue.js';
import { CATALOGUE, REGISTRY, UPSTREAMS } from '#src/actors/names.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { PinBook } from '#src/pinning/pin-book.js';
import { type ToolSearch } from '#src/routing/tool-search.js';
import { listing } from '../../support/actors/listings.js';
import { configOf, FakeRef, live, World } from '../../support/actors/world.js';

const TOOLS = 1_000;
/** More than one slice may hold: 20 times as many would be felt. */
const MOST = 100;

describe('the index of the search', () => {
  let world: World;

  beforeEach(async () => {
    const search = { enabled: true };
    const toolsets = { all: { tools: ['*'] } };
    world = new World(configOf({ gateway: { catalogue: { search }, toolsets } }));
    const { system, plane, log } = world;
    await world.boot({
      [UPSTREAMS]: 'dynamic',
      [CATALOGUE.path]: live(catalogue({ system, plane, log, book: new PinBook('off') })),
      [REGISTRY.path]: 'recorder',
    });
    await offer('one', TOOLS);
  });

  afterEach(() => world.system.shutdown());

  async function offer(name: string, count: number): Promise<void> {
    const gate = world.plane.gates.get(name) ?? new UpstreamGate(name, 10, 1_000);
    gate.session = new FakeRef();
    world.plane.gates.set(name, gate);
    const tools = Array.from({ length: count }, (_, index) => `tool-${index}`);
    const server = { name, prefix: undefined, toolFilter: () => true, gate, presence: 'withdraw' as const };
    world.system.tell(CATALOGUE, { type: 'catalogue/offered', server, listing: listing({ tools }) });
    await world.settle();
  }

  const searchOf = (scope: string | null): ToolSearch => {
    const search = world.plane.routing.scope(scope)?.search;
    assert.ok(search);
    return search;
  };

  const left = (): number =>
    [null, 't/all', ...world.plane.routing.servers()].reduce((sum, scope) => sum + searchOf(scope).pending, 0);

  /** Lets time pass until nothing is left; how many tools each step took. */
  async function steps(): Promise<number[]> {
    const taken: number[] = [];
    for (let before = left(); before > 0; before = left()) {
      await world.advance(1);
      taken.push(before - left());
      assert.ok(taken.length < 1_000, 'it goes on');
    }
    return taken;
  }

  it('grows by a few tools at a time, of every scope, before anybody asks', async () => {
    assert.equal(left(), 3 * TOOLS, 'publishing reads none of them');
    const taken = await steps();
    assert.ok(Math.max(...taken) <= MOST, `a slice of ${Math.max(...taken)}`);
    assert.equal(
      taken.reduce((sum, count) => sum + count, 0),
      3 * TOOLS,
    );
    const found = searchOf(null).answer({ name: 'find_tool', arguments: { query: 'tool-999' } });
    assert.match(JSON.stringify(found), /one__tool-999/);
  });

  it('begins anew with a new table, and goes on to its end', async () => {
    await world.advance(5, 1);
    await offer('two', TOOLS);
    await world.advance(250, 1);
    assert.equal(world.plane.routing.version, 2);
    const taken = await steps();
    assert.ok(Math.max(0, ...taken) <= MOST);
    assert.equal(searchOf(null).pending, 0);
    assert.equal(searchOf('two').pending, 0);
  });

  it('is complete for who asks before that', () => {
    assert.ok(searchOf(null).pending > 0);
    const found = searchOf(null).answer({ name: 'find_tool', arguments: { query: 'tool-998' } });
    assert.match(JSON.stringify(found), /one__tool-998/);
  });
});
