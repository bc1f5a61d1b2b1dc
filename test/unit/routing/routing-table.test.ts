import assert from 'node:assert/strict';
import { MAX_CURSOR_KEY } from '#src/protocol/cursor.js';
import { type Route, RoutingTable } from '#src/routing/routing-table.js';
import { listing, NOTHING, offersOf, type Part } from '../../support/actors/listings.js';

function tableOf(...parts: Part[]): RoutingTable<string> {
  return new RoutingTable(1, offersOf(parts), 10);
}

/** Where a route leads, without the entry that it was made of. */
function placeOf(route: Route<string> | undefined) {
  return route && { target: route.target, own: route.own };
}

describe('routing table', () => {
  const shared = 'file:///shared';

  it('keeps a prefixed URI and template leading to its server when the collision is over', () => {
    const both = tableOf(
      { server: 'a', listing: listing({ resources: [shared], resourceTemplates: ['t:///{x}'] }) },
      { server: 'b', listing: listing({ resources: [shared], resourceTemplates: ['t:///{x}'] }) },
    ).aggregate;
    assert.deepEqual(both.lists.resources.keys(), [shared, `viable://b/${shared}`]);
    const alone = tableOf(
      { server: 'a', listing: NOTHING },
      { server: 'b', listing: listing({ resources: [shared], resourceTemplates: ['t:///{x}'] }) },
    ).aggregate;
    assert.deepEqual(alone.lists.resources.keys(), [shared]);
    for (const view of [both, alone]) {
      assert.deepEqual(placeOf(view.resource(`viable://b/${shared}`)), { target: 'b', own: shared });
      assert.deepEqual(view.resource('viable://b/t:///1'), { target: 'b', own: 't:///1' });
      assert.deepEqual(view.template('viable://b/t:///{x}'), { target: 'b', own: 't:///{x}' });
    }
  });

  it('lets no server pose as another', () => {
    const view = tableOf(
      {
        server: 'a',
        listing: listing({ resourceTemplates: ['{+all}', 'viable://b/{x}'], resources: ['viable://b/x'] }),
      },
      { server: 'b', listing: listing({ resources: ['y:z'] }) },
    ).aggregate;
    assert.deepEqual(placeOf(view.resource('viable://b/x')), { target: 'b', own: 'x' });
    assert.deepEqual(placeOf(view.resource('viable://a/viable://b/x')), { target: 'a', own: 'viable://b/x' });
  });

  it('asks the most specific template, then the only server with resources, and nobody when there are several', () => {
    const a = { server: 'a', listing: listing({ resourceTemplates: ['file:///{x}'] }) };
    const b = { server: 'b', listing: listing({ resourceTemplates: ['file:///sub{x}'] }) };
    const two = tableOf(a, b).aggregate;
    assert.equal(two.resource('file:///subway')?.target, 'b');
    assert.equal(two.resource('file:///else')?.target, 'a');
    assert.equal(two.resource('other:x'), undefined);
    assert.deepEqual(tableOf(a).aggregate.resource('other:x'), { target: 'a', own: 'other:x' });
  });

  it('does not hand the unlisted URIs of a server that is away to another', () => {
    const away = { server: 'a', available: false, listing: listing({ resources: ['x:a'] }) };
    const here = { server: 'b', listing: listing({ resources: ['x:b'] }) };
    assert.equal(tableOf(away, here).aggregate.resource('x:unlisted'), undefined);
    assert.deepEqual(tableOf(away).aggregate.resource('x:unlisted'), { target: 'a', own: 'x:unlisted' });
  });

  it('completes against templates that cannot be matched, and against plain URIs', () => {
    const view = tableOf({
      server: 'a',
      listing: listing({ resourceTemplates: ['bad{'], resources: ['x:y'] }),
    }).aggregate;
    assert.deepEqual(view.template('bad{'), { target: 'a', own: 'bad{' });
    assert.deepEqual(placeOf(view.template('x:y')), { target: 'a', own: 'x:y' });
  });

  it('leaves out names and URIs that no cursor could hold, and says so', () => {
    const long = 'n'.repeat(MAX_CURSOR_KEY + 1);
    const parts: Part = {
      server: 'a',
      listing: listing({ tools: [long, 'b'], prompts: [long], resources: [long, 'x:y'], resourceTemplates: [long] }),
    };
    const table = new RoutingTable(1, offersOf([parts]), 1);
    assert.deepEqual(table.aggregate.lists.tools.keys(), ['a__b']);
    assert.deepEqual(table.aggregate.lists.resources.keys(), ['x:y']);
    assert.deepEqual(
      table.collisions.map((collision) => collision.kind !== 'shared-uri' && [collision.kind, collision.list]),
      [
        ['too-long', 'tools'],
        ['too-long', 'prompts'],
        ['too-long', 'resources'],
        ['too-long', 'resourceTemplates'],
      ],
    );
  });

  it('reports duplicates and shared URIs', () => {
    const table = tableOf(
      { server: 'a', listing: listing({ tools: ['t', 't'], resources: [shared] }) },
      { server: 'b', listing: listing({ tools: ['t'], resources: [shared, shared] }) },
    );
    assert.deepEqual(table.collisions, [
      { kind: 'duplicate', server: 'a', list: 'tools', name: 't' },
      { kind: 'duplicate', server: 'b', list: 'resources', name: shared },
      { kind: 'shared-uri', conflict: { uri: shared, prefixes: ['a', 'b'] } },
    ]);
  });

  it('joins the instructions of those that are there, each under its prefix, and cuts them', () => {
    const say = (server: string, instructions: string, available = true): Part => ({
      server,
      available,
      listing: listing({ instructions }),
    });
    const table = tableOf(say('a', 'one'), say('b', ''), say('c', 'away', false), say('d', 'two'));
    assert.equal(table.aggregate.instructions, '## a\none\n\n## d\ntwo');
    assert.equal(table.server('d')?.instructions, 'two');
    assert.equal(tableOf(say('b', '')).aggregate.instructions, undefined);
    assert.equal(tableOf(say('a', 'x'.repeat(20_000))).aggregate.instructions?.length, 8_192);
  });

  it('holds 5,000 tools of one server in pages', () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `tool-${i}`);
    const table = new RoutingTable(1, offersOf([{ server: 'a', listing: listing({ tools: names }) }]), 1_000);
    assert.equal(table.aggregate.lists.tools.size, 5_000);
    assert.equal(table.aggregate.tools.get('a__tool-4999')?.own, 'tool-4999');
  });
});
