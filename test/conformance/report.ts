/** The table of a conformance run, and its comparison with what is known to fail. */
import { applies, type Combination, SCENARIOS } from './combinations.js';
import { type Verdict } from './suite.js';

/** Why a scenario of a combination cannot pass, by combination and scenario. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Verdicts by combination and scenario. */
export type Results = ReadonlyMap<Combination, ReadonlyMap<string, Verdict>>;

export type Outcome = 'passed' | 'failed' | 'expected' | 'stale';

/** `stale`: it passes, although the baseline says that it cannot. */
export function outcome(verdict: Verdict, known: string | undefined): Outcome {
  if (verdict.passed) return known === undefined ? 'passed' : 'stale';
  return known === undefined ? 'failed' : 'expected';
}

const SYMBOL: Readonly<Record<Outcome, string>> = { passed: '✓', failed: '✗', expected: '~', stale: '!' };

export interface Tally {
  readonly text: string;
  readonly counts: Readonly<Record<Outcome, number>>;
}

/** One row a scenario, one numbered column a combination, then every deviation with its reason. */
export function report(results: Results, baseline: Baseline): Tally {
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, expected: 0, stale: 0 };
  const combinations = [...results.keys()];
  const deviations: string[] = [];
  const rows = [...new Set([...SCENARIOS.legacy, ...SCENARIOS.modern])].flatMap((scenario) => {
    const cells = combinations.map((combination) => {
      const verdict = results.get(combination)?.get(scenario);
      if (verdict === undefined) return applies(scenario, combination) ? ' ' : '·';
      const known = baseline[combination.name]?.[scenario];
      const kind = outcome(verdict, known);
      counts[kind] += 1;
      if (kind === 'failed') deviations.push(`✗ ${combination.name} ${scenario}\n${indent(verdict.reason)}`);
      if (kind === 'stale')
        deviations.push(`! ${combination.name} ${scenario} passes, but the baseline lists it:\n${indent(known ?? '')}`);
      return SYMBOL[kind];
    });
    if (cells.every((cell) => cell === ' ' || cell === '·')) return [];
    return [`${scenario.padEnd(46)}${cells.map((cell) => cell.padStart(3)).join('')}`];
  });
  const legend = combinations.map(({ name }, index) => `${String(index + 1).padStart(3)}  ${name}`);
  const header = ' '.repeat(46) + combinations.map((_, index) => String(index + 1).padStart(3)).join('');
  const key = '✓ passed  ✗ failed  ~ failed as listed  ! passed although listed  · not applicable';
  return { text: [...legend, '', header, ...rows, '', key, ...deviations].join('\n'), counts };
}

/** The baseline that these results would match. Combinations and scenarios that did not run keep their entries. */
export function updated(results: Results, baseline: Baseline): Baseline {
  const next: Record<string, Record<string, string>> = Object.fromEntries(
    Object.entries(baseline).map(([name, scenarios]) => [name, { ...scenarios }]),
  );
  for (const [{ name }, verdicts] of results) {
    const listed = (next[name] ??= {});
    for (const [scenario, verdict] of verdicts) {
      if (verdict.passed) delete listed[scenario];
      else listed[scenario] ??= `UNEXPLAINED ${verdict.reason.split('\n', 1)[0] ?? ''}`;
    }
    if (Object.keys(listed).length === 0) delete next[name];
  }
  return next;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
