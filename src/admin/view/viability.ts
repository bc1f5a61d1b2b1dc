/** The figures of S1 to S5 with their values now, each with its formula: one list for every dashboard. Pure. */
import { FIGURES, type Figure, type FigureName } from '../snapshot/figures.js';
import type { AuditsSnapshot, IntelligenceSnapshot, LeaseSnapshot, VsmSnapshot } from '../snapshot/vsm.js';
import { clock, count, duration, latency, NONE, percent } from './format.js';
import { line, span, type Line, type Tone } from './line.js';
import type { Column } from './table.js';

export interface ViabilityRow {
  readonly name: FigureName;
  readonly figure: Figure;
  readonly value: Line;
}

export function viabilityRows(vsm: VsmSnapshot): readonly ViabilityRow[] {
  const values: readonly (readonly [FigureName, Line])[] = [
    ['varietyAbsorption', ratio(vsm.operations.varietyAbsorption)],
    ['absorptionRate', rate(vsm.operations.absorptionRate)],
    ['volumeRatio', ratio(vsm.operations.volumeRatio)],
    ['coordinationStatus', coordination(vsm)],
    ['resourceUsage', usage(vsm)],
    ['intelligenceEvents', line(recent(vsm.intelligence.eventsIn5Minutes, vsm.intelligence.eventsTotal))],
    ['skill', skills(vsm)],
    ['violations', violations(vsm)],
  ];
  return values.map(([name, value]) => ({ name, figure: FIGURES[name], value }));
}

export const VIABILITY_COLUMNS: readonly Column<ViabilityRow>[] = [
  { title: 'FIGURE', min: 22, cell: ({ figure }) => span(figure.title, 'strong') },
  { title: 'NOW', min: 32, cell: ({ value }) => value },
  { title: 'UNIT', rank: 2, cell: ({ figure }) => span(figure.unit, 'dim') },
  { title: 'MEANING', min: 26, rank: 1, cell: ({ figure }) => figure.meaning },
];

export function leaseColumns(now: number): readonly Column<LeaseSnapshot>[] {
  return [
    { title: 'UNIT', min: 12, cell: ({ unit }) => span(unit, 'strong') },
    { title: 'SLOTS', align: 'right', cell: ({ slots }) => count(slots) },
    { title: 'FLOOR', align: 'right', rank: 1, cell: ({ floor }) => count(floor) },
    { title: 'IN USE', align: 'right', cell: ({ inFlight }) => count(inFlight) },
    { title: 'CALLS/S', align: 'right', rank: 2, cell: ({ rps }) => rate(rps) },
    {
      title: 'EXPIRES',
      cell: ({ expiresAt }) =>
        expiresAt > now ? `in ${duration(expiresAt - now)}` : span('expired: its floor holds', 'warn'),
    },
  ];
}

export const FINDING_COLUMNS: readonly Column<AuditsSnapshot['findings'][number]>[] = [
  { title: 'SEEN', cell: ({ at }) => span(clock(at), 'dim') },
  { title: 'UNIT', min: 12, cell: ({ unit }) => span(unit, 'strong') },
  { title: 'ANSWERED IN', align: 'right', rank: 1, cell: ({ latencyMs }) => latency(latencyMs) },
  {
    title: 'AGAINST ITS REPORTS',
    min: 20,
    max: 400,
    cell: ({ discrepancies }) =>
      discrepancies.length === 0 ? span('as reported', 'ok') : span(discrepancies.join('; '), 'warn'),
  },
];

export const EVENT_COLUMNS: readonly Column<IntelligenceSnapshot['recent'][number]>[] = [
  { title: 'SEEN', cell: ({ at }) => span(clock(at), 'dim') },
  { title: 'KIND', cell: ({ kind }) => span(kind, 'accent') },
  { title: 'SOURCE', min: 12, cell: ({ unit }) => span(unit, 'strong') },
  { title: 'WHAT', min: 20, max: 400, cell: ({ what }) => what },
];

/** S1 to S5 in one line, for an overview: `S1 0.98  S2 idle  S3 12 %  S4 0  S5 normal`. */
export function viabilityStrip(vsm: VsmSnapshot): Line {
  const { operations, coordination: s2, control, intelligence, policy } = vsm;
  const part = (name: string, value: Line): Line => [span(`${name} `, 'dim'), ...value, span('   ')];
  return [
    ...part('S1', ratio(operations.varietyAbsorption)),
    ...part('S2', [span(s2.status, s2.status === 'damping' ? 'warn' : 'plain')]),
    ...part('S3', [span(percent(control.usage), heavy(control.usage))]),
    ...part('S4', [span(count(intelligence.eventsIn5Minutes))]),
    ...part('S5', [span(policy.mode, policy.mode === 'normal' ? 'ok' : 'warn')]),
  ];
}

function ratio(value: number | null): Line {
  if (value === null) return [span(NONE, 'dim')];
  return [span(value.toFixed(2), value >= 0.95 ? 'ok' : value >= 0.8 ? 'warn' : 'bad')];
}

function rate(value: number | null): Line {
  return [value === null ? span(NONE, 'dim') : span(value.toFixed(value < 10 ? 1 : 0))];
}

function coordination({ coordination: s2 }: VsmSnapshot): Line {
  const tone: Tone = s2.status === 'damping' ? 'warn' : 'plain';
  const more = `  penalty ${s2.maxPenalty.toFixed(1)}, ${count(s2.delays)} delayed, ${count(s2.coalesced)} coalesced, ${count(s2.tokensRefused)} tokens refused`;
  return [span(s2.status, tone), span(more, 'dim')];
}

function usage({ control }: VsmSnapshot): Line {
  const each = control.resources.map(({ resource, percent: used }) => `${resource} ${percent(used)}`);
  return [span(percent(control.usage), heavy(control.usage)), span(`  ${each.join(', ')}`, 'dim')];
}

function heavy(value: number | null): Tone {
  return value === null ? 'dim' : value >= 90 ? 'bad' : value >= 70 ? 'warn' : 'ok';
}

function recent(inFive: number, total: number): string {
  return `${count(inFive)} in 5 min, ${count(total)} in all`;
}

function skills({ intelligence }: VsmSnapshot): Line {
  if (intelligence.skills.length === 0) return [span(NONE, 'dim')];
  return intelligence.skills.flatMap(({ unit, skill }) => [
    span(`${unit} `, 'dim'),
    skill === null ? span(NONE, 'dim') : span(skill.toFixed(2), skill > 0 ? 'ok' : 'warn'),
    span('  '),
  ]);
}

function violations({ violations: all }: VsmSnapshot): Line {
  return [
    span(recent(all.attemptsIn5Minutes, all.attemptsTotal)),
    span(`  breaches ${count(all.breachesTotal)}`, all.breachesTotal > 0 ? 'bad' : 'dim'),
  ];
}
