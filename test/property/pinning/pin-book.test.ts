/** The pin book against what it promises: nothing that is not pinned is offered, and only an operator or the old definition ends a quarantine. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { differences, hashOf } from '#src/pinning/definitions.js';
import { PinBook, type PinEvent } from '#src/pinning/pin-book.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';

const SERVERS = ['a', 'b'] as const;
const NAMES = ['x', 'y', '__proto__'] as const;

/** What is offered: name → which of three definitions. */
const offering = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.nat(2)), { selector: ([name]) => name });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('offer' as const), server: fc.constantFrom(...SERVERS), offering }),
  },
  fc.record({
    kind: fc.constant('accept' as const),
    server: fc.constantFrom(...SERVERS),
    tool: fc.constantFrom(...NAMES),
  }),
  fc.record({ kind: fc.constant('lock' as const) }),
  fc.record({ kind: fc.constant('forget' as const), server: fc.constantFrom(...SERVERS) }),
);

const definition = (name: string, variant: number): JsonObject => ({
  name,
  description: `v${variant}`,
  inputSchema: {},
});

describe('pin book', () => {
  for (const mode of ['first-sight', 'lock'] as const) {
    it(`${mode}: keeps back exactly what is not as it was vouched for`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          const book = new PinBook(mode);
          const vouched = new Map<string, number>();
          const offered = new Map<string, Map<string, number>>();
          const events: PinEvent[] = [];
          const key = (server: string, tool: string): string => `${server} ${tool}`;
          for (const action of steps) {
            switch (action.kind) {
              case 'offer': {
                offered.set(action.server, new Map(action.offering));
                if (mode === 'first-sight')
                  for (const [tool, variant] of action.offering)
                    if (!vouched.has(key(action.server, tool))) vouched.set(key(action.server, tool), variant);
                const tools = action.offering.map(([name, variant]) => definition(name, variant));
                book.judge(action.server, tools, 1, (event) => void events.push(event));
                break;
              }
              case 'accept': {
                const variant = offered.get(action.server)?.get(action.tool);
                assert.equal(
                  book.accept(action.server, action.tool, 2, () => undefined),
                  variant !== undefined,
                );
                if (variant !== undefined) vouched.set(key(action.server, action.tool), variant);
                break;
              }
              case 'lock':
                for (const [server, tools] of offered) {
                  for (const tool of NAMES) vouched.delete(key(server, tool));
                  for (const [tool, variant] of tools) vouched.set(key(server, tool), variant);
                }
                book.lock(3, () => undefined);
                break;
              case 'forget':
                offered.delete(action.server);
                book.forget(action.server);
            }
            for (const server of SERVERS) {
              const expected = [...(offered.get(server) ?? [])]
                .filter(([tool, variant]) => vouched.get(key(server, tool)) !== variant)
                .map(([tool]) => tool);
              assert.deepEqual([...book.quarantined(server)].sort(), expected.sort());
            }
          }
        }),
        { numRuns: 300 },
      );
    });
  }

  it('keeps everything back while the pins could not be read, until somebody vouches for all', () => {
    const book = new PinBook('first-sight');
    book.fault = 'no JSON';
    book.judge('a', [definition('x', 0)], 1, () => undefined);
    assert.deepEqual([...book.quarantined('a')], ['x']);
    book.lock(2, () => undefined);
    assert.deepEqual([...book.quarantined('a')], []);
  });

  it('the hash is that of the meaning, not of the order of members; any other difference shows, with its place', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
        const left = JSON.parse(JSON.stringify(a)) as JsonObject;
        const right = JSON.parse(JSON.stringify(b)) as JsonObject;
        const reordered = Object.fromEntries(Object.entries(left).reverse());
        assert.equal(hashOf(left), hashOf(reordered));
        assert.deepEqual(differences(left, reordered), []);
        assert.equal(hashOf(left) === hashOf(right), differences(left, right).length === 0);
      }),
    );
    const before = { name: 'x', inputSchema: { properties: { path: { description: 'a' } }, required: ['path'] } };
    const after = { name: 'x', inputSchema: { properties: { path: { description: 'b' } }, required: [] }, title: 'X' };
    assert.deepEqual(differences(before, after), [
      { path: 'inputSchema.properties.path.description', before: '"a"', after: '"b"' },
      { path: 'inputSchema.required.0', before: '"path"' },
      { path: 'title', after: '"X"' },
    ]);
  });
});
