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

const RANK: Readonly<Record<BreakerSnapshot['state'], number>> = { closed: 0, half_open: 1, open: 2 };
/** As many changes as a breaker remembers (`BreakerSnapshot.history`). */
const HISTORY_MOST = 60;

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

/**
 * The last `spanMs` in `width` columns of equal time, each as high as the worst that the breaker was in it: `▁▁▁█▄▁▁▁`. A column
 * from before the oldest change that is remembered, or from before the breaker, is blank.
 */
export function breakerTimeline(row: BreakerSnapshot, now: number, spanMs: number, width: number): string {
  const { history, state, since } = row;
  // A full history has lost what was before; a short one begins with a closed breaker; without one it is as it began.
  const known = history.length === 0 ? since : history.length < HISTORY_MOST ? -Infinity : (history[0]?.at ?? since);
  const stateAt = (at: number): BreakerSnapshot['state'] =>
    history.length === 0 ? state : (history.findLast((change) => change.at <= at)?.state ?? 'closed');
  let drawn = '';
  for (let column = 0; column < width; column += 1) {
    const from = now - spanMs + (column * spanMs) / width;
    const to = from + spanMs / width;
    if (to <= known) {
      drawn += ' ';
      continue;
    }
    const within = history.filter(({ at }) => at > from && at <= to).map((change) => change.state);
    const worst = [stateAt(from), ...within].reduce((one, other) => (RANK[other] > RANK[one] ? other : one));
    drawn += SPARKS[worst];
  }
  return drawn;
}

/** `78 % of 40 failed, opened 4×, 118 refused`: what there is to say beside the state. */
export function breakerFigures(row: BreakerSnapshot): Line {
  const failed = row.samples === 0 ? [] : [`${percent(ratioOf(row))} of ${count(row.samples)} failed`];
  const opened = row.opens === 0 ? [] : [`opened ${count(row.opens)}×, ${count(row.refused)} refused`];
  const held = row.suppressed ? ['flapping'] : [];
  return [span([...failed, ...opened, ...held].join(', '), 'dim')];
}

/** `╱ open for 12s, calls failed, next probe in 8s`. */
export function breakerState(row: BreakerSnapshot, now: number): Line {
  const why = row.cause === null ? [] : [span(`, ${causeOf(row)}`, 'dim')];
  const probe = row.nextProbeAt === null ? [] : [span(`, next probe in ${nextProbe(row, now)}`, 'warn')];
  return [
    ...marked(BREAKER_MARKS[row.state]),
    span(` for ${duration(now - row.since)}`, 'dim'),
    ...why,
    ...(row.probing ? [span(', a probe is on its way', 'warn')] : probe),
  ];
}

/** Those that do not let calls through first, and of the others those that ever did not. */
export function troubledFirst(breakers: readonly BreakerSnapshot[]): readonly BreakerSnapshot[] {
  return [...breakers].sort((a, b) => RANK[b.state] - RANK[a.state] || b.opens - a.opens);
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
