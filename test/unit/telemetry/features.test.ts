import assert from 'node:assert/strict';
import { Features } from '#src/telemetry/features.js';

describe('telemetry/features', () => {
  it('measures what is hooked in, over the window', async () => {
    let spans = 10;
    const features = new Features({
      measure: (_, claims) => {
        spans += 30;
        assert.deepEqual([...claims], [['tracing', ['/t/']]]);
        return Promise.resolve({ seconds: 2, costs: new Map([['tracing', { cpuPercent: 1.5, heapBytes: 2e6 }]]) });
      },
    });
    let on = true;
    features.hook('tracing', {
      enabled: () => on,
      switch: (next) => {
        on = next;
        return undefined;
      },
      scripts: ['/t/'],
      spans: () => spans,
      cacheHits: () => 0.97,
    });
    const measured = { cpuPercent: 1.5, memoryMb: 2, spansPerSecond: 15, cacheHits: 0.97 };
    assert.deepEqual(await features.measure(2_000), [{ name: 'tracing', enabled: true, active: null, ...measured }]);
    assert.equal(features.switch('tracing', false), undefined);
    const [off] = await features.measure(0);
    assert.deepEqual([off?.enabled, off?.cpuPercent, off?.spansPerSecond], [false, null, null]);
  });

  it('what is not part of the gateway cannot be switched', () => {
    const features = new Features({ measure: () => Promise.reject(new Error('not here')) });
    assert.match(features.switch('jwt', true) ?? '', /not part/);
  });
});
