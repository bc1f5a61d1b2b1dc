/** The chain against every way of touching it: changed, taken out, put in, swapped, forged without the key. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { checkLine, GENESIS, seal } from '#src/audit/chain.js';
import { verifyLog } from '#src/audit/verify.js';

const events = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    event: fc.record({
      type: fc.constant('admin' as const),
      outcome: fc.constantFrom('ok' as const, 'refused' as const),
      method: fc.string({ unit: 'binary' }),
      target: fc.string(),
    }),
  }),
  { minLength: 3, maxLength: 12 },
);
const keys = fc.option(fc.string({ minLength: 32, maxLength: 40 }), { nil: null });

function chain(of: typeof events extends fc.Arbitrary<infer T> ? T : never, key: string | null): string[] {
  let head = GENESIS;
  return of.map((event) => {
    const sealed = seal(head, event, key);
    head = sealed.head;
    return sealed.line;
  });
}

async function verify(lines: readonly string[], key: string | null) {
  const directory = await mkdtemp(path.join(tmpdir(), 'viable-chain-'));
  try {
    const file = path.join(directory, 'audit.jsonl');
    await writeFile(file, lines.map((line) => `${line}\n`).join(''));
    return await verifyLog(file, key);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('audit chain', () => {
  it('holds as written, and each line is one JSON object without line breaks', async () => {
    await fc.assert(
      fc.asyncProperty(events, keys, async (of, key) => {
        const lines = chain(of, key);
        for (const line of lines) {
          assert.ok(!line.includes('\n'));
          assert.equal((JSON.parse(line) as { type: string }).type, 'admin');
        }
        const result = await verify(lines, key);
        assert.deepEqual([result.ok, result.records, result.head?.seq], [true, of.length, of.length]);
      }),
      { numRuns: 50 },
    );
  });

  it('any one character that is changed breaks it in that line', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        keys,
        fc.nat(),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        async (of, key, l, c, by) => {
          const lines = chain(of, key);
          const at = l % lines.length;
          const line = lines[at] ?? '';
          const column = c % line.length;
          fc.pre(line[column] !== by && by !== '\n' && by !== '\r');
          lines[at] = line.slice(0, column) + by + line.slice(column + 1);
          const result = await verify(lines, key);
          assert.equal(result.broken?.line, at + 1);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('a line taken out, put in twice or swapped breaks it there', async () => {
    await fc.assert(
      fc.asyncProperty(events, keys, fc.nat(), async (of, key, l) => {
        const lines = chain(of, key);
        const at = l % (lines.length - 1);
        const without = [...lines.slice(0, at), ...lines.slice(at + 1)];
        // Nothing before the first line says that there was one; its successor says so by its number.
        assert.equal((await verify(without, key)).first, at === 0 ? 2 : 1);
        if (at > 0) assert.equal((await verify(without, key)).broken?.line, at + 1);
        const twice = [...lines.slice(0, at + 1), ...lines.slice(at)];
        assert.equal((await verify(twice, key)).broken?.line, at + 2);
        const swapped = [...lines.slice(0, at), lines[at + 1] ?? '', lines[at] ?? '', ...lines.slice(at + 2)];
        assert.equal((await verify(swapped, key)).ok, false);
      }),
      { numRuns: 50 },
    );
  });

  it('with a key, a whole new chain cannot be made without it', () => {
    const event = { at: 0, event: { type: 'admin', outcome: 'ok', method: 'kill' } } as const;
    const forged = seal(GENESIS, event, null).line;
    assert.equal(checkLine(forged, 'k'.repeat(32)).ok, false);
    assert.equal(checkLine(seal(GENESIS, event, 'k'.repeat(32)).line, 'k'.repeat(32)).ok, true);
  });
});
