/** The tables of alarms: one definition for the CLI and the dashboards. Pure. */
import type {
  AlarmsSnapshot,
  AlarmSnapshot,
  AlarmSeverity,
  LastResortSnapshot,
  PastSignalSnapshot,
} from '../snapshot/vsm.js';
import { clock, duration, NONE } from './format.js';
import { span, type Line, type Span, type Tone } from './line.js';
import type { Column } from './table.js';

const SEVERITY_TONES: Readonly<Record<AlarmSeverity, Tone>> = {
  low: 'info',
  medium: 'warn',
  high: 'warn',
  critical: 'bad',
};

export function alarmColumns(now: number): readonly Column<AlarmSnapshot>[] {
  return [
    { title: 'ID', align: 'right', cell: (row) => String(row.id) },
    { title: 'SEVERITY', cell: (row) => severity(row.severity) },
    { title: 'SOURCE', min: 12, max: 40, cell: (row) => span(row.source, 'strong') },
    { title: 'INDEX', rank: 4, cell: (row) => span(row.index, 'dim') },
    { title: 'VALUE', align: 'right', rank: 5, cell: (row) => figure(row.value) },
    { title: 'WITH', rank: 2, cell: (row) => STAGES[row.stage] },
    { title: 'AGE', align: 'right', rank: 1, cell: (row) => duration(now - row.raisedAt) },
    { title: 'NOTED BY', rank: 3, cell: (row) => row.acknowledged?.by ?? NONE },
    { title: 'WHAT', min: 20, max: 200, cell: (row) => row.message },
  ];
}

export function pastSignalColumns(now: number): readonly Column<PastSignalSnapshot>[] {
  return [
    { title: 'ID', align: 'right', cell: (row) => String(row.id) },
    { title: 'WORST', cell: (row) => (row.kind === 'pleasure' ? span('pleasure', 'ok') : severity(row.severity)) },
    { title: 'SOURCE', min: 12, max: 40, cell: (row) => span(row.source, 'strong') },
    { title: 'INDEX', rank: 4, cell: (row) => span(row.index, 'dim') },
    { title: 'REACHED', rank: 2, cell: (row) => STAGES[row.stage] },
    { title: 'LASTED', align: 'right', rank: 3, cell: (row) => duration(row.endedAt - row.raisedAt) },
    { title: 'ENDED', align: 'right', rank: 1, cell: (row) => `${duration(now - row.endedAt)} ago` },
    { title: 'NOTED BY', rank: 3, cell: (row) => row.acknowledgedBy ?? NONE },
    { title: 'WHAT', min: 20, max: 200, cell: (row) => row.message },
  ];
}

export function lastResortColumns(now: number): readonly Column<LastResortSnapshot>[] {
  return [
    { title: 'SOURCE', min: 12, max: 40, cell: (row) => span(row.source, 'strong') },
    { title: 'INDEX', cell: (row) => span(row.index, 'dim') },
    { title: 'SAID', align: 'right', cell: (row) => `${duration(now - row.at)} ago` },
    { title: 'WHAT', min: 20, max: 200, cell: (row) => span(row.message, 'bad') },
  ];
}

/** The algedonic log: signals that live, worst first, and then those that are over, newest first. One line each. */
export function signalLines({ active, history, lastResort }: AlarmsSnapshot, now: number): readonly Line[] {
  const lines = [
    ...lastResort.map(({ at, message }): Line => [span(`${clock(at)} `, 'dim'), span(`✖ unheard  ${message}`, 'bad')]),
    ...active.map(({ raisedAt, severity: how, stage, message, acknowledged }): Line => [
      span(`${clock(raisedAt)} `, 'dim'),
      span(`▲ ${how.padEnd(8)} `, SEVERITY_TONES[how]),
      span(message),
      span(`  ${STAGES[stage]}, ${duration(now - raisedAt)}${acknowledged ? ', noted' : ''}`, 'dim'),
    ]),
    ...history.map(({ endedAt, kind, message, raisedAt }): Line => [
      span(`${clock(endedAt)} `, 'dim'),
      kind === 'pleasure' ? span('♥ pleasure ', 'ok') : span('✓ over     ', 'ok'),
      span(message),
      span(`  lasted ${duration(endedAt - raisedAt)}`, 'dim'),
    ]),
  ];
  return lines.length === 0 ? [[span('Nothing has hurt yet.', 'dim')]] : lines;
}

/** As people say it. */
const STAGES = { unit: 'unit', control: 'S3', policy: 'S5', operator: 'operator' } as const;

function severity(value: AlarmSeverity | null): Span {
  return value === null ? span(NONE, 'dim') : span(value, SEVERITY_TONES[value]);
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
}
