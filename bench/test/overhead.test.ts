/** The figures of features that were measured: how sure they are, and what is said where nothing can be. */
import assert from 'node:assert/strict';
import { type Overhead } from '../overhead.js';
import { renderOverhead } from '../overhead-report.js';
import { median, spreadOfMedians } from '../stats.js';

const MEASURED: Overhead = {
  name: 'tracing 1 %',
  cpuPercent: 0.5,
  cpuSpread: 0.2,
  cpuUs: 1.2,
  memoryMb: 21,
  latencyMs: -0.002,
  byTwins: [0.6, 0.4],
  turns: 40,
  errors: 0,
};

function row(over: Partial<Overhead>): string {
  const text = renderOverhead({ node: 'v20', cpu: 1, features: [{ ...MEASURED, ...over }] });
  return text.split('\n').find((line) => line.startsWith('| OpenTelemetry')) ?? '';
}

describe('bench/overhead', () => {
  it('a median of an even number of values is the mean of the two in the middle', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  it('the spread of one median is that of its quartiles, and nothing of fewer than four values', () => {
    assert.ok(Math.abs(spreadOfMedians([[8, 1, 7, 2, 6, 3, 5, 4]]) - (1.57 * 4) / Math.sqrt(8)) < 1e-9);
    assert.ok(Number.isNaN(spreadOfMedians([[1, 2, 3]])));
  });

  it('the spread of several is Student’s t of theirs', () => {
    const samples = [[1, 1, 1], [0, 2, 9], [3]];
    assert.ok(Math.abs(spreadOfMedians(samples) - 4.3 * Math.sqrt(1 / 3)) < 1e-9);
  });

  it('a bar is met or missed only where the figure is further from it than its spread', () => {
    assert.match(row({}), /CPU ≤ \+1%: met/);
    assert.match(row({ cpuPercent: 1.5 }), /CPU ≤ \+1%: MISSED/);
    assert.match(row({ cpuPercent: 0.9 }), /CPU ≤ \+1%: unsure/);
    assert.match(row({ latencyMs: 0.06 }), /≤ \+0\.05ms: MISSED/);
  });

  it('without a spread it says so, and that the bar is unsure', () => {
    assert.match(row({ cpuSpread: Number.NaN }), /\(± –\).*CPU ≤ \+1%: unsure/);
  });
});
