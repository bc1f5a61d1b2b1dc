/** Circuit breakers as a table, and one of them in full. Pure: snapshot → lines. */
import type { BreakerSnapshot } from '../protocol.js';
import { NONE, count, duration, percent } from './format.js';
import { line, span, type Line } from './line.js';
import { BREAKER_MARKS, marked } from './marks.js';
import type { Column } from './table.js';

const CAUSES: Readonly<Record<Exclude<BreakerSnapshot['cause'], null>, string>> = {
  failures: 'calls failed',
  unreachable: 'not reachable',
  operator: 'operator',
};

/** Heights of the states in a sparkline. */
const SPARKS: Readonly<Record<BreakerSnapshot['state'], string>> = { closed: '▁', half_open: '▄', open: '█' };

/** @param now the instant of the snapshot */
export function breakerColumns(now: number): readonly Column<BreakerSnapshot>[] {
  return [
    { title: 'BREAKER', min: 12, max: 32, cell: (row) => span(row.name, 'strong') },
    { title: 'STATE', cell: (row) => marked(BREAKER_MARKS[row.state]) },
    { title: 'FOR', align: 'right', rank: 3, cell: (row) => duration(now - row.since) },
    { title: 'WHY', rank: 2, cell: (row) => span(causeOf(row), 'dim') },
    { title: 'IN A ROW', align: 'right', rank: 6, cell: (row) => quiet(row.consecutiveFailures) },
    { title: 'FAILED', align: 'right', rank: 1, cell: (row) => percent(ratioOf(row)) },
    { title: 'OF', align: 'right', rank: 5, cell: (row) => quiet(row.samples) },
    { title: 'OPENS', align: 'right', rank: 4, cell: (row) => quiet(row.opens) },
    { title: 'REFUSED', align: 'right', rank: 1, cell: (row) => quiet(row.refused) },
    { title: 'FLAP', align: 'right', rank: 7, cell: (row) => flapOf(row) },
    { title: 'NEXT PROBE', align: 'right', rank: 2, cell: (row) => nextProbe(row, now) },
    { title: 'PAST', max: 20, rank: 8, cell: (row) => span(breakerSpark(row, 20), 'dim') },
  ];
}

/** Everything known of one breaker. */
export function breakerLines(row: BreakerSnapshot, now: number): readonly Line[] {
  return [
    fact('Breaker', [span(row.name, 'strong'), span(`  ${row.kind}`, 'dim')]),
    fact('State', [...marked(BREAKER_MARKS[row.state]), span(` for ${duration(now - row.since)}`, 'dim')]),
    fact('Why', line(causeOf(row))),
    fact('Next probe', [span(nextProbe(row, now)), ...(row.probing ? [span('  a probe is on its way', 'warn')] : [])]),
    fact(
      'Failures',
      line(`${count(row.consecutiveFailures)} in a row, ${percent(ratioOf(row))} of ${count(row.samples)}`),
    ),
    fact('Opened', line(`${count(row.opens)} times, ${count(row.refused)} calls refused`)),
    fact('Flapping', line(flapOf(row))),
    fact('Past', [span(breakerSpark(row, 60), 'info')]),
    fact('Actor', [span(row.actor, 'dim')]),
  ];
}

/** Its last changes, one column each, ending with what it is now. */
export function breakerSpark({ history, state }: BreakerSnapshot, width: number): string {
  const states = history.length === 0 ? [state] : history.map((change) => change.state);
  return states
    .slice(-width)
    .map((past) => SPARKS[past])
    .join('');
}

function causeOf({ cause, forced }: BreakerSnapshot): string {
  if (cause === null) return NONE;
  return forced ? 'opened by operator' : CAUSES[cause];
}

function ratioOf({ failureRatio }: BreakerSnapshot): number | null {
  return failureRatio === null ? null : 100 * failureRatio;
}

function flapOf({ flapPenalty, suppressed }: BreakerSnapshot): string {
  return `${flapPenalty.toFixed(1)}${suppressed ? ' held' : ''}`;
}

function nextProbe({ nextProbeAt }: BreakerSnapshot, now: number): string {
  return nextProbeAt === null ? NONE : duration(Math.max(0, nextProbeAt - now));
}

function quiet(value: number): ReturnType<typeof span> {
  return span(count(value), value === 0 ? 'dim' : 'plain');
}

function fact(name: string, value: Line): Line {
  return [span(name.padEnd(12), 'dim'), ...value];
}
