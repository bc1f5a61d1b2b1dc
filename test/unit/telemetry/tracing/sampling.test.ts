/** The decision that is taken before anything is made is the one that the SDK's sampler would take. */
import assert from 'node:assert/strict';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { SpanId, type TraceId, TraceparentWriter } from '#src/telemetry/tracing/ids.js';
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

  it('an id is used once, and what is sent on is of its trace and of the span below', () => {
    const ids = new DrawnIds(Math.random);
    ids.rate = 1;
    const roots = Array.from({ length: 100 }, () => ids.root());
    assert.equal(new Set(roots.map(({ traceId }) => digitsOf(traceId))).size, roots.length);
    assert.equal(new Set(roots.flatMap(({ spanId, childId }) => [spanId.low, childId.low])).size, 2 * roots.length);
    for (const { traceId, childId, childTraceparent } of roots)
      assert.equal(childTraceparent, new TraceparentWriter().write(traceId, childId));
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
