/** Updates of resources below the one that was subscribed to. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ClientMessage } from '#src/actors/client-message.js';
import { subscribersOf } from '#src/actors/resource-updates.js';
import { type Ref } from '#src/kernel/index.js';
import { prefixedUri, uriAndAbove } from '#src/protocol/resource-uris.js';
import { FakeRef } from '../../support/actors/world.js';

type Client = Ref<ClientMessage>;
const client = (name: string): Client => new FakeRef<ClientMessage>(name);
const subscriptions = (
  entries: [string, [Client, string][]][],
): { subscriptions: Map<string, Map<Client, string>> } => ({
  subscriptions: new Map(entries.map(([uri, clients]) => [uri, new Map(clients)])),
});

describe('resource updates', () => {
  it('reach the subscribers of the resource and of those above it, each once, under the URI that it knows', () => {
    const [exact, above, both, renamed, other] = ['exact', 'above', 'both', 'renamed', 'other'].map(client);
    assert.ok(exact && above && both && renamed && other);
    const shown = prefixedUri('up', 'file:///a');
    const gate = subscriptions([
      [
        'file:///a/b',
        [
          [exact, 'file:///a/b'],
          [both, 'file:///a/b'],
        ],
      ],
      [
        'file:///a',
        [
          [above, 'file:///a'],
          [both, 'file:///a'],
          [renamed, shown],
        ],
      ],
      ['file:///a/bc', [[other, 'file:///a/bc']]],
      ['file:///a/b/c', [[other, 'file:///a/b/c']]],
    ]);
    assert.deepEqual(
      [...subscribersOf(gate, 'file:///a/b')].map(([{ path }, uri]) => [path, uri]),
      [
        ['exact', 'file:///a/b'],
        ['both', 'file:///a/b'],
        ['above', 'file:///a/b'],
        ['renamed', prefixedUri('up', 'file:///a/b')],
      ],
    );
  });

  it('take a folder with its slash for the same as without', () => {
    const one = client('one');
    for (const folder of ['file:///srv/', 'file:///srv'])
      assert.equal(
        subscribersOf(subscriptions([[folder, [[one, folder]]]]), 'file:///srv/x').get(one),
        'file:///srv/x',
      );
  });

  it('never reach who subscribed to something that is not above', () => {
    const part = fc.stringMatching(/^[a-z]{1,3}$/);
    const path = fc.array(part, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(path, path, (subscribed, updated) => {
        const one = client('one');
        const [own, uri] = [`x://${subscribed.join('/')}`, `x://${updated.join('/')}`];
        const isAbove = subscribed.every((name, index) => updated[index] === name);
        assert.equal(subscribersOf(subscriptions([[own, [[one, own]]]]), uri).has(one), isAbove);
      }),
    );
  });

  it('cost little, however deep a server makes its URIs', () => {
    assert.ok([...uriAndAbove(`x://${'/a'.repeat(100_000)}`)].length < 200);
  });
});
