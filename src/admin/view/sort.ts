/** Rows of a table by what stands in one of its columns. Pure. */
import { plainText, type Line, type Span } from './line.js';
import type { Column } from './table.js';

/** A copy, sorted: figures by size (`1.2k` after `900`), everything else by its text. Equal rows keep their order. */
export function sortRows<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  at: number,
  descending: boolean,
): readonly Row[] {
  const column = columns[at];
  if (column === undefined) return rows;
  const texts = new Map(rows.map((row) => [row, textOf(column.cell(row))]));
  const sign = descending ? -1 : 1;
  return [...rows].sort((one, other) => sign * compareCells(texts.get(one) ?? '', texts.get(other) ?? ''));
}

function textOf(cell: string | Span | Line): string {
  if (typeof cell === 'string') return cell;
  return 'text' in cell ? cell.text : plainText(cell);
}

/** What has no figure stands below all that have. */
export function compareCells(one: string, other: string): number {
  const [a, b] = [amount(one), amount(other)];
  if (a !== null && b !== null) return a - b;
  if (a !== null || b !== null) return a === null ? -1 : 1;
  return one.localeCompare(other);
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ...['', '%', 'B', 'ms'].map((unit): [string, number] => [unit, 1]),
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['TiB', 1024 ** 4],
  ['s', 1e3],
  ['m', 6e4],
  ['h', 36e5],
  ['d', 864e5],
]);

/** The size of a figure as consoles write it, also of a span of time in two units; `null` for any other text. */
export function amount(text: string): number | null {
  let total = 0;
  for (const part of text.trim().split(/(?<=[a-z%])\s+(?=\d)/i)) {
    const found = /^(\d+(?:\.\d+)?) ?([a-z%]*)$/i.exec(part);
    const unit = UNITS.get(found?.[2] ?? 'none');
    if (found === null || unit === undefined) return null;
    total += Number(found[1]) * unit;
  }
  return total;
}
