import assert from 'node:assert/strict';
import { catalogue, type CatalogueMessage } from '#src/actors/catalogue.js';
import { PinBook } from '#src/pinning/pin-book.js';
import { CATALOGUE, REGISTRY, upstreamId, UPSTREAMS } from '#src/actors/names.js';
import { type RegistryMessage } from '#src/actors/session-registry.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { actor, supervisor } from '#src/kernel/index.js';
import { type Presence } from '#src/routing/presence.js';
import { type Listing } from '#src/routing/routing-table.js';
import { listing } from '../../support/actors/listings.js';
import { FakeRef, live, World } from '../../support/actors/world.js';

const DEBOUNCE = 250;

describe('catalogue', () => {
  let world: World;

  beforeEach(async () => {
    world = new World();
    await world.boot({
      [UPSTREAMS]: 'dynamic',
      [CATALOGUE.path]: live(
        catalogue({ system: world.system, plane: world.plane, log: world.log, book: new PinBook('off') }),
      ),
      [REGISTRY.path]: 'recorder',
    });
  });

  afterEach(() => world.system.shutdown());

  const lifecycleOf = (name: string): string => `${UPSTREAMS}/${upstreamId(name)}/lifecycle`;

  /** Configures an upstream whose lifecycle only records. */
  function configure(...names: string[]): void {
    for (const name of names) {
      const gate = new UpstreamGate(name, 10, 1_000);
      gate.session = new FakeRef();
      world.plane.gates.set(name, gate);
      world.system.startChild(
        UPSTREAMS,
        supervisor({
          id: upstreamId(name),
          strategy: 'one_for_one',
          intensity: { max: 1, withinMs: 1 },
          children: [actor<never>({ id: 'lifecycle', init: world.recorder(lifecycleOf(name)) })],
        }),
      );
    }
  }

  function tell(message: CatalogueMessage): Promise<void> {
    assert.equal(world.system.tell(CATALOGUE, message), 'ok');
    return world.settle();
  }

  function offer(
    name: string,
    offered: Listing,
    prefix?: string,
    toolFilter: (name: string) => boolean = () => true,
    presence: Presence = 'withdraw',
  ): Promise<void> {
    const gate = world.plane.gates.get(name);
    assert.ok(gate);
    return tell({ type: 'catalogue/offered', server: { name, prefix, toolFilter, gate, presence }, listing: offered });
  }

  const away = (name: string): Promise<void> => {
    const gate = world.plane.gates.get(name);
    if (gate) gate.session = null;
    return tell({ type: 'catalogue/unavailable', server: name });
  };

  const tools = (): string[] => world.plane.routing.aggregate.lists.tools.keys();

  /** What the registry was told to announce since the last look, as `scope kind`. */
  function announced(): string[] {
    return world
      .take<RegistryMessage>(REGISTRY.path)
      .flatMap((message) => (message.type === 'registry/lists-changed' ? message.changes : []))
      .map(({ scope, kind }) => `${scope ?? '*'} ${kind}`);
  }

  it('publishes the first listing at once and later ones together, after the debounce', async () => {
    configure('a', 'b', 'c');
    await offer('a', listing({ tools: ['t'] }));
    assert.equal(world.plane.routing.version, 1);
    assert.deepEqual(tools(), ['a__t']);
    await offer('b', listing({ tools: ['t'] }));
    await world.advance(DEBOUNCE - 1);
    await offer('c', listing({ tools: ['t'] }));
    assert.equal(world.plane.routing.version, 1);
    await world.advance(1);
    assert.equal(world.plane.routing.version, 2);
    assert.deepEqual(tools(), ['a__t', 'b__t', 'c__t']);
  });

  it('tells only of lists that have changed, and only who sees them', async () => {
    configure('a', 'b');
    await offer('a', listing({ tools: ['t'], prompts: ['p'] }));
    assert.deepEqual(announced(), ['* tools', '* prompts', 'a tools', 'a prompts']);
    await offer('b', listing({ resources: ['x:y'], resourceTemplates: ['x:{y}'] }));
    await world.advance(DEBOUNCE);
    assert.deepEqual(announced(), ['* resources', '* resourceTemplates', 'b resources', 'b resourceTemplates']);
    await offer('a', listing({ tools: ['t'], prompts: ['q'] }));
    await world.advance(DEBOUNCE);
    assert.deepEqual(announced(), ['* prompts', 'a prompts']);
    await offer('a', structuredClone(listing({ tools: ['t'], prompts: ['q'] })));
    await world.advance(DEBOUNCE);
    assert.deepEqual(announced(), []);
  });

  it('takes an upstream that is away off the lists, still leading to it, and says nothing of a short absence', async () => {
    configure('a', 'b');
    const offered = listing({ tools: ['t'] });
    await offer('a', offered);
    await offer('b', offered);
    await world.advance(DEBOUNCE);
    announced();
    await away('a');
    await world.advance(DEBOUNCE);
    assert.deepEqual(tools(), ['b__t']);
    assert.equal(world.plane.routing.aggregate.tools.get('a__t')?.target.name, 'a');
    assert.deepEqual(announced(), ['* tools', 'a tools']);
    await away('b');
    await offer('b', offered);
    await world.advance(DEBOUNCE);
    assert.deepEqual(announced(), []);
  });

  it('forgets one that is configured no more, and tells those on its endpoint', async () => {
    configure('a', 'b');
    await offer('a', listing({ tools: ['t'] }));
    await offer('b', listing({ tools: ['t'] }));
    await world.advance(DEBOUNCE);
    announced();
    world.plane.gates.delete('a');
    await tell({ type: 'catalogue/withdrawn', server: 'a' });
    await world.advance(DEBOUNCE);
    assert.equal(world.plane.routing.aggregate.tools.get('a__t'), undefined);
    assert.deepEqual(announced(), ['* tools', 'a tools']);
  });

  it('goes on from the last table when it restarts, and asks all to offer again', async () => {
    configure('a', 'b', 'away', 'gone', 'never');
    for (const name of ['a', 'b', 'away', 'gone'])
      await offer(name, listing({ tools: ['t'] }), name === 'away' ? 'x' : undefined);
    await world.advance(DEBOUNCE);
    await away('away');
    await world.advance(DEBOUNCE);
    announced();
    const before = world.plane.routing;
    assert.ok(world.system.kill(CATALOGUE.path));
    const b = world.plane.gates.get('b');
    assert.ok(b);
    b.session = null; // what it was not told while it was down
    world.plane.gates.delete('gone');
    await world.settle();
    assert.equal(world.plane.routing, before);
    for (const name of ['a', 'b', 'away', 'never']) {
      assert.deepEqual(world.take(lifecycleOf(name)), [{ type: 'upstream/offer-again' }]);
    }
    await offer('a', structuredClone(listing({ tools: ['t'] })));
    await world.advance(DEBOUNCE);
    const { aggregate, version } = world.plane.routing;
    assert.equal(version, before.version + 1);
    assert.deepEqual(aggregate.lists.tools.keys(), ['a__t']);
    assert.deepEqual([...aggregate.tools.keys()].sort(), ['a__t', 'b__t', 'x__t']);
    assert.deepEqual(announced(), ['* tools', 'b tools', 'gone tools']);
  });

  it('publishes at once when told to, and once', async () => {
    configure('a');
    await offer('a', listing({ tools: ['t'] }));
    await offer('a', listing({ tools: ['t', 'u'] }));
    await tell({ type: 'catalogue/publish' });
    assert.deepEqual(tools(), ['a__t', 'a__u']);
    await world.advance(DEBOUNCE);
    assert.equal(world.plane.routing.version, 2);
  });

  it('serves tools that the filter lets through, under the configured prefix', async () => {
    configure('a');
    await offer('a', listing({ tools: ['yes', 'no'] }), 'short', (name) => name === 'yes');
    assert.deepEqual(tools(), ['short__yes']);
  });

  it('logs a collision once, without what a terminal would obey', async () => {
    configure('a', 'b');
    const odd = listing({ tools: ['x\u001b[31m', 'x\u001b[31m'], resources: ['x:y'] });
    await offer('a', odd);
    await offer('b', listing({ resources: ['x:y'] }));
    await world.advance(DEBOUNCE);
    const lines = world.output.ring.last(100, (line) => line.event === 'collision');
    assert.deepEqual(
      lines.map((line) => line.fields),
      [
        { kind: 'duplicate', server: 'a', list: 'tools', name: 'x' },
        { kind: 'shared-uri', uri: 'x:y', prefixes: ['a', 'b'] },
      ],
    );
  });
});
