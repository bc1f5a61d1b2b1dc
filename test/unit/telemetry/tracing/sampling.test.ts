/** The decision that is taken before anything is made is the one that the SDK's sampler would take. */
import assert from 'node:assert/strict';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { SpanId, TraceId, TRACEPARENT_LENGTH, TraceparentWriter } from '#src/telemetry/tracing/ids.js';
import { DrawnIds, RuntimeSampler } from '#src/telemetry/tracing/sampling.js';

const rate = fc.double({ min: 0, max: 1, noNaN: true });
/** A source of numbers in [0, 1), as Math.random. */
const source = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

function samples(sampler: TraceIdRatioBasedSampler | RuntimeSampler, traceId: string): boolean {
  const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId, 'x', SpanKind.SERVER, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

/** As it goes upstream. */
function digitsOf(id: TraceId): string {
  const [, digits = ''] = new TraceparentWriter().write(id, new SpanId(1, 2)).split('-');
  return digits;
}

describe('telemetry/tracing/sampling', () => {
  it('a trace id that was drawn is valid and recorded by the SDK’s sampler of that rate', () => {
    fc.assert(
      fc.property(rate, source, (ratio, numbers) => {
        const ids = new DrawnIds(() => numbers.next().value as number);
        ids.rate = ratio;
        if (!ids.draw()) return;
        const id = digitsOf(ids.root().traceId);
        assert.match(id, /^(?!0{32})[0-9a-f]{32}$/);
        assert.ok(samples(new TraceIdRatioBasedSampler(ratio), id), `${id} at ${ratio}`);
      }),
    );
  });

  it('without a draw too, at every rate but 0', () => {
    fc.assert(
      fc.property(rate, source, (ratio, numbers) => {
        const ids = new DrawnIds(() => numbers.next().value as number);
        ids.rate = ratio;
        if (!ids.any) return assert.ok(Math.floor(ratio * 0xffff_ffff) === 0);
        assert.ok(samples(new TraceIdRatioBasedSampler(ratio), digitsOf(ids.root().traceId)));
      }),
    );
  });

  it('the share that is drawn is the rate', () => {
    let state = 12_345;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 0x1_0000_0000;
    };
    for (const ratio of [0, 0.01, 0.1, 0.5, 1]) {
      const ids = new DrawnIds(random);
      ids.rate = ratio;
      let drawn = 0;
      for (let index = 0; index < 20_000; index += 1) if (ids.draw()) drawn += 1;
      assert.ok(Math.abs(drawn / 20_000 - ratio) < 0.01, `${drawn} of 20000 at ${ratio}`);
    }
  });

  it('after the rate has changed no id of before is used', () => {
    fc.assert(
      fc.property(rate, rate, (before, after) => {
        const ids = new DrawnIds(Math.random);
        ids.rate = before;
        ids.root();
        ids.rate = after;
        if (ids.any) assert.ok(samples(new TraceIdRatioBasedSampler(after), digitsOf(ids.root().traceId)));
      }),
    );
  });

  it('of roots that are drawn together each is recorded, and none has an id of zeros, whatever the bits', () => {
    const stride = 10;
    const extreme = fc.constantFrom(0, 0.5, 1 - 2 ** -53);
    const numbers = fc.infiniteStream(fc.oneof(extreme, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })));
    fc.assert(
      fc.property(rate, numbers, (ratio, given) => {
        const ids = new DrawnIds(() => given.next().value as number);
        ids.rate = ratio;
        if (!ids.any) return;
        const words = new Int32Array(3 * stride);
        ids.drawRoots(words, stride);
        const written = new TraceparentWriter(3).writeAll(words, stride, 0, 6);
        for (let root = 0; root < 3; root += 1) {
          const [a, b, c, d, high, low, childHigh, childLow] = words.subarray(stride * root) as unknown as readonly [number, number, number, number, number, number, number, number]; // prettier-ignore
          const traceId = new TraceId(a, b, c, d);
          const traceparent = written.slice(TRACEPARENT_LENGTH * root, TRACEPARENT_LENGTH * (root + 1));
          assert.equal(traceparent, new TraceparentWriter().write(traceId, new SpanId(childHigh, childLow)));
          assert.match(traceparent, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
          assert.ok(high !== 0 || low !== 0);
          assert.ok(
            samples(new TraceIdRatioBasedSampler(ratio), digitsOf(traceId)),
            `${digitsOf(traceId)} at ${ratio}`,
          );
        }
      }),
    );
  });

  it('ids differ', () => {
    const ids = new DrawnIds(Math.random);
    ids.rate = 0.5;
    const words = new Int32Array(8 * 100);
    ids.drawRoots(words, 8);
    const roots = Array.from({ length: 100 }, (_, root) => words.subarray(8 * root, 8 * root + 8));
    assert.equal(new Set(roots.map((root) => root.subarray(0, 4).join())).size, 100);
    assert.equal(new Set(roots.flatMap((root) => [root.subarray(4, 6).join(), root.subarray(6).join()])).size, 200);
  });

  it('the rate changes while it runs', () => {
    const sampler = new RuntimeSampler(0, true);
    const id = 'f'.repeat(31) + '0';
    assert.equal(samples(sampler, id), false);
    sampler.rate = 1;
    assert.equal(samples(sampler, id), true);
    sampler.rate = 7;
    assert.equal(sampler.rate, 1);
  });
});
