/** Whose cost a sample is, and that a real profile finds the code that works. */
import assert from 'node:assert/strict';
import { cpuByClaim, heapByClaim, V8Profile } from '#src/telemetry/profile.js';

const CLAIMS = new Map([
  ['tracing', ['/telemetry/tracing/', '/@opentelemetry/']],
  ['jwt', ['/auth/']],
]);

function node(id: number, url: string, ...children: number[]) {
  return { id, callFrame: { url }, children };
}

describe('telemetry/profile', () => {
  it('time is that of the innermost claimed script on the stack, and of nobody where none is', () => {
    const profile = {
      startTime: 0,
      endTime: 10_000,
      nodes: [
        node(1, '', 2, 6),
        node(2, 'file:///x/auth/check.js', 3, 5),
        node(3, 'file:///x/telemetry/tracing/a.js', 4),
        node(4, 'node:internal/crypto'),
        node(5, 'file:///x/node_modules/jose/a.js'),
        node(6, 'file:///x/kernel/cell.js'),
      ],
      samples: [4, 5, 6, 2, 1],
      timeDeltas: [0, 100, 20, 3_000, 7, 9],
    };
    assert.deepEqual(cpuByClaim(profile, CLAIMS), new Map([['tracing', 100], ['jwt', 27]])); // prettier-ignore
  });

  it('memory likewise', () => {
    const leaf = (url: string, selfSize: number) => ({ callFrame: { url }, selfSize, children: [] });
    const head = {
      callFrame: { url: '' },
      selfSize: 5,
      children: [{ ...leaf('file:///x/auth/a.js', 10), children: [leaf('', 7)] }, leaf('file:///x/other.js', 99)],
    };
    assert.deepEqual(heapByClaim(head, CLAIMS), new Map([['jwt', 17]]));
  });

  it('code that works in the window is found, by its script; what does nothing costs nothing', async () => {
    const profile = new V8Profile(() => {
      let sum = 0;
      for (let index = 0; index < 3e7; index += 1) sum += Math.sqrt(index);
      assert.ok(sum > 0);
      return Promise.resolve();
    });
    const own = new Map([
      ['this', ['telemetry/profile.test']],
      ['nobody', ['/no/such/script/']],
    ]);
    const [first, second] = await Promise.all([profile.measure(1, own), profile.measure(1, own)]);
    profile.close();
    for (const { costs, seconds } of [first, second]) {
      assert.ok(seconds > 0);
      assert.ok((costs.get('this')?.cpuPercent ?? 0) > 0);
      assert.equal(costs.get('nobody')?.cpuPercent, 0);
    }
  });
});
