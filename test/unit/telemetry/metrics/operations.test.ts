import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DURATION_BOUNDARIES,
  DurationHistogram,
  Operations,
  OTHER,
  SHOWN_TARGETS,
} from '#src/telemetry/metrics/operations.js';

function total(operations: Operations): number {
  return operations.series().reduce((sum, { histogram }) => sum + histogram.count, 0);
}

function key({ attributes }: { attributes: Readonly<Record<string, string>> }): string {
  return JSON.stringify(Object.entries(attributes).sort());
}

describe('telemetry/metrics/operations', () => {
  it('a value falls into the first bucket whose bound is not below it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 50 }), (values) => {
        const histogram = new DurationHistogram();
        for (const value of values) histogram.record(value);
        let below = 0;
        for (const [index, bound] of DURATION_BOUNDARIES.entries()) {
          below += histogram.counts[index] ?? 0;
          assert.equal(below, values.filter((value) => value <= bound).length);
        }
        assert.equal(histogram.count, values.length);
        assert.ok(Math.abs(histogram.sum - values.reduce((sum, value) => sum + value, 0)) < 1e-6);
      }),
    );
  });

  it('every operation is in one series, under the attributes of the conventions', () => {
    const operations = new Operations('server');
    operations.record('', 'tools/call', 'a__x', null, 0.1);
    operations.record('', 'tools/call', 'a__x', 'tool_error', 0.1);
    operations.record('', 'prompts/get', 'a__p', null, 0.1);
    operations.record('', 'tools/list', '', null, 0.1);
    const found = new Set(operations.series().map((series) => key(series)));
    const wanted = [
      { 'mcp.method.name': 'prompts/get', 'gen_ai.prompt.name': 'a__p' },
      { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'a__x' },
      { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'a__x', 'error.type': 'tool_error' },
      { 'mcp.method.name': 'tools/list' },
    ];
    assert.deepEqual(found, new Set(wanted.map((attributes) => key({ attributes }))));
  });

  it('the client side says which upstream; what is configured no more is forgotten', () => {
    const operations = new Operations('client');
    operations.record('one', 'tools/call', 'x', null, 0.1);
    operations.record('two', 'tools/call', 'x', null, 0.1);
    operations.forget('one');
    assert.deepEqual(
      operations.series().map(({ attributes }) => attributes['viable.upstream']),
      ['two'],
    );
  });

  it('ten thousand tools make a bounded number of series, and none is lost', () => {
    const operations = new Operations('server');
    for (let round = 0; round < 3; round += 1)
      for (let tool = 0; tool < 10_000; tool += 1) operations.record('', 'tools/call', `t${tool}`, null, 0.1);
    const series = operations.series();
    assert.ok(series.length <= SHOWN_TARGETS + 1, String(series.length));
    assert.equal(total(operations), 30_000);
    assert.equal(series.filter(({ attributes }) => attributes['gen_ai.tool.name'] === OTHER).length, 1);
  });

  it('the most used tools are shown by name, whatever comes first', () => {
    const operations = new Operations('server');
    for (let tool = 0; tool < SHOWN_TARGETS * 2; tool += 1)
      for (let call = 0; call <= tool; call += 1) operations.record('', 'tools/call', `t${tool}`, null, 0.1);
    const shown = new Set(operations.series().map(({ attributes }) => attributes['gen_ai.tool.name']));
    for (let tool = SHOWN_TARGETS; tool < SHOWN_TARGETS * 2; tool += 1) assert.ok(shown.has(`t${tool}`), `t${tool}`);
  });

  it('an upstream that invents error codes makes a bounded number of series', () => {
    const operations = new Operations('client');
    for (let code = 0; code < 1_000; code += 1) operations.record('u', 'tools/call', 'x', String(code), 0.1);
    assert.ok(operations.series().length <= 17);
    assert.equal(total(operations), 1_000);
  });

  it('no series ever goes back or away, whatever is called between collections', () => {
    const call = fc.record({ tool: fc.integer({ min: 0, max: 600 }), error: fc.constantFrom(null, '1', '2') });
    const step = fc.oneof({ weight: 60, arbitrary: call }, { weight: 1, arbitrary: fc.constant('collect' as const) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500, minLength: 700 }), (steps) => {
        const operations = new Operations('server');
        let before = new Map<string, number>();
        for (const each of steps) {
          if (each !== 'collect') {
            operations.record('', 'tools/call', `t${each.tool}`, each.error, 0.1);
            continue;
          }
          const now = new Map(operations.series().map((series) => [key(series), series.histogram.count]));
          for (const [name, count] of before) assert.ok((now.get(name) ?? -1) >= count, name);
          before = now;
        }
      }),
      { numRuns: 20 },
    );
  });
});
