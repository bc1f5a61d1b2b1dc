/**
 * Tables that fit a width: columns shrink to their minimum, the one with most to give first, and then the least important ones go.
 * Pure.
 */
import { fitLine, lineWidth, span, type Line, type Span } from './line.js';
import { textWidth } from './text.js';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Cells below which the column is not shrunk; defaults to its natural width. */
  readonly min?: number;
  /** Cells above which it is cut even where there is room; only in tables that have a width. */
  readonly max?: number;
  /** Importance: columns with the highest number are left out first; 0 (default) never. */
  readonly rank?: number;
  readonly cell: (row: Row) => string | Span | Line;
}

export interface Table {
  readonly header: Line;
  readonly rows: readonly Line[];
  /** Where each column that is shown stands, in cells from the left. */
  readonly slots: readonly TableSlot[];
}

export interface TableSlot {
  /** Place in the list of columns. */
  readonly column: number;
  readonly from: number;
  readonly width: number;
}

const GAP = 2;

/** @param width cells to fit into; `undefined` for no limit (output that is no terminal) */
export function layoutTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): Table {
  const cells = columns.map((column) => rows.map((row) => toLine(column.cell(row))));
  const natural = columns.map((column, index) => {
    const widest = (cells[index] ?? []).reduce(
      (most, cell) => Math.max(most, lineWidth(cell)),
      textWidth(column.title),
    );
    return width === undefined ? widest : Math.min(widest, column.max ?? widest);
  });
  const widths = width === undefined ? natural : fitWidths(columns, natural, width);
  const shown = columns
    .map((column, index) => ({ column, index, width: widths[index] ?? 0 }))
    .filter((slot) => slot.width > 0);
  const draw = (cell: (index: number) => Line): Line =>
    shown.flatMap(({ column, index, width: size }, place) => {
      const last = place === shown.length - 1 && column.align !== 'right' && width === undefined;
      const content = last ? cell(index) : fitLine(cell(index), size, column.align);
      return place === 0 ? content : [span(' '.repeat(GAP)), ...content];
    });
  return {
    header: draw((index) => [span(columns[index]?.title ?? '', 'dim')]),
    rows: rows.map((_, row) => draw((index) => cells[index]?.[row] ?? [])),
    slots: placed(shown),
  };
}

function placed(shown: readonly { readonly index: number; readonly width: number }[]): readonly TableSlot[] {
  let from = 0;
  return shown.map(({ index, width }) => {
    const slot = { column: index, from, width };
    from += width + GAP;
    return slot;
  });
}

/** Width of each column, 0 for one left out. Columns that are empty of titles and cells go too. */
function fitWidths<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const floors = columns.map((column, index) => Math.min(column.min ?? Infinity, natural[index] ?? 0));
  for (;;) {
    let over = total(widths) - width;
    while (over > 0) {
      const slack = widths.map((size, index) => (size === 0 ? 0 : size - (floors[index] ?? 0)));
      const widest = slack.indexOf(Math.max(...slack));
      if ((slack[widest] ?? 0) <= 0) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      over -= 1;
    }
    if (over <= 0) return widths;
    const least = leastImportant(columns, widths);
    if (least === undefined) return cutLast(widths, width);
    widths.fill(0);
    natural.forEach((size, index) => (widths[index] = dropped(columns, index, least) ? 0 : size));
  }
}

function leastImportant<Row>(columns: readonly Column<Row>[], widths: readonly number[]): number | undefined {
  const ranks = columns.flatMap((column, index) => ((widths[index] ?? 0) > 0 && column.rank ? [column.rank] : []));
  return ranks.length === 0 ? undefined : Math.max(...ranks);
}

function dropped<Row>(columns: readonly Column<Row>[], index: number, rank: number): boolean {
  return (columns[index]?.rank ?? 0) >= rank;
}

/** Nothing left to leave out: whatever stands beyond the edge is cut off. */
function cutLast(widths: readonly number[], width: number): readonly number[] {
  let left = width;
  return widths.map((size) => {
    if (size === 0) return 0;
    const given = Math.max(0, Math.min(size, left));
    left -= given + GAP;
    return given;
  });
}

function total(widths: readonly number[]): number {
  const shown = widths.filter((size) => size > 0);
  return shown.reduce((sum, size) => sum + size, 0) + GAP * Math.max(0, shown.length - 1);
}

function toLine(cell: string | Span | Line): Line {
  if (typeof cell === 'string') return [span(cell)];
  return 'text' in cell ? [cell] : cell;
}
