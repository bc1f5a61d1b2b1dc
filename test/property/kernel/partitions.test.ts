/** Random comings and goings under a partitioned supervisor: ids are unique, bounds hold, partitions fill in order. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { partitioned } from '#src/kernel/index.js';
import { Fixture } from '../../support/kernel.js';

const WIDE = { max: 1_000, withinMs: 1_000 };

const op = fc.record({
  type: fc.constantFrom('start', 'start', 'start', 'stop', 'crash'),
  id: fc.nat(11).map((n) => `c${n}`),
});

/** The obvious way: a list of sets. */
class PartitionsModel {
  readonly partitions: Set<string>[] = [];
  constructor(
    readonly size: number,
    readonly max: number,
  ) {}

  start(id: string): string {
    if (this.partitions.some((partition) => partition.has(id))) return 'already_started';
    if (this.partitions.reduce((sum, partition) => sum + partition.size, 0) >= this.max) return 'max_children';
    const roomy = this.partitions.find((partition) => partition.size < this.size);
    if (roomy) roomy.add(id);
    else this.partitions.push(new Set([id]));
    return 'ok';
  }

  end(id: string): boolean {
    return this.partitions.some((partition) => partition.delete(id));
  }

  paths(): string[] {
    return this.partitions.flatMap((partition, i) => [`/p/p${i}`, ...[...partition].map((id) => `/p/p${i}/${id}`)]);
  }
}

describe('a partitioned supervisor, compared with a list of sets', () => {
  it('holds whom the model holds, where the model holds them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(10),
        fc.array(op, { maxLength: 40 }),
        async (partitionSize, maxChildren, ops) => {
          const fix = new Fixture();
          await fix.boot([
            partitioned({ id: 'p', intensity: WIDE, partitionIntensity: WIDE, partitionSize, maxChildren }),
          ]);
          const model = new PartitionsModel(partitionSize, maxChildren);
          const paths = (): string[] => [...fix.system.paths()].filter((path) => path.startsWith('/p/'));
          for (const { type, id } of ops) {
            if (type === 'start') {
              const answer = fix.system.startChild('/p', fix.scripted(id, { restart: 'temporary' }));
              assert.equal(answer.ok ? 'ok' : answer.why, model.start(id));
            } else if (type === 'stop') {
              assert.equal(await fix.system.stopChild('/p', id), model.end(id));
            } else if (model.end(id)) {
              fix.crash(paths().find((path) => path.endsWith(`/${id}`)) ?? '');
              await fix.settle();
            }
            assert.deepEqual(paths().sort(), model.paths().sort());
          }
          await fix.system.shutdown();
          assert.deepEqual([...fix.system.paths()], ['/']);
          assert.deepEqual(fix.who('child/terminated').length, fix.who('child/started').length);
          assert.equal(fix.clock.pending, 0);
        },
      ),
      { numRuns: 120 },
    );
  });
});
