/** The scoreboard of a chaos run as text. Pure. */
import Table from 'cli-table3';
import { quantile } from '../bench/stats.js';
import { missedBars, type Result } from './scenario.js';

export interface Row {
  readonly name: string;
  readonly result: Result | Error;
}

const HEAD = [
  'scenario',
  'N',
  'faults',
  'ok',
  'errors',
  'cut',
  'lost',
  'dup',
  'foreign',
  'twice',
  'p50 ms',
  'p99 ms',
  'kB/min',
  '',
];

export function scoreboard(rows: readonly Row[]): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [] },
    colAligns: HEAD.map((_, at) => (at === 0 ? 'left' : 'right')),
  });
  for (const { name, result } of rows) table.push(result instanceof Error ? failed(name) : cells(name, result));
  const problems = rows.flatMap(({ name, result }) => problemsOf(result).map((problem) => `  ${name}: ${problem}`));
  const errors = rows.flatMap(({ name, result }) => reasons(name, result));
  return [
    table.toString(),
    ...(errors.length > 0 ? ['Errors that clients were given (each is one answer):', ...errors] : []),
    ...(problems.length > 0 ? ['Missed:', ...problems] : ['Every bar is met.']),
  ].join('\n');
}

export function problemsOf(result: Result | Error): string[] {
  return result instanceof Error ? [`did not come to its end: ${result.message}`] : missedBars(result);
}

function failed(name: string): string[] {
  return [name, ...HEAD.slice(2).map(() => '–'), '✗'];
}

function cells(name: string, result: Result): string[] {
  const { verdict, recoveries } = result;
  const errors = [...verdict.errors.values()].reduce((sum, count) => sum + count, 0);
  const sorted = [...recoveries].sort((a, b) => a - b);
  const counts = [verdict.sent, result.faults, verdict.ok, errors, verdict.cut];
  const bad = [verdict.lost, verdict.duplicate, verdict.foreign, verdict.twice].map(({ length }) => length);
  return [
    name,
    ...[...counts, ...bad].map(String),
    ...[0.5, 0.99].map((q) => (sorted.length === 0 ? '–' : quantile(sorted, q).toFixed(0))),
    result.memorySlope === null ? '–' : result.memorySlope.toFixed(0),
    missedBars(result).length === 0 ? '✓' : '✗',
  ];
}

function reasons(name: string, result: Result | Error): string[] {
  if (result instanceof Error || result.verdict.errors.size === 0) return [];
  const counts = [...result.verdict.errors].map(([reason, count]) => `${reason} ${count}`);
  return [`  ${name}: ${counts.join(', ')}`];
}
