/** A scrolled list with a cursor, drawn as a table. Pure. */
import { fitLine, plainText, span, type Line } from '#src/admin/view/line.js';
import { sortRows } from '#src/admin/view/sort.js';
import { layoutTable, type Column, type TableSlot } from '#src/admin/view/table.js';
import type { Block } from './panel.js';

/** Where somebody is in a list. */
export interface ListState {
  /** Row under the cursor, by name, so that it stays while rows come and go; `null` for the list's own end. */
  readonly key: string | null;
  /** Where the cursor was, for when its row has gone. */
  readonly cursor: number;
  /** First row shown. */
  readonly offset: number;
  readonly filter: string;
  /** Column that sorts, from 0; `null`: the order of the gateway. */
  readonly sort: number | null;
  readonly descending: boolean;
}

export const FRESH_LIST: ListState = {
  key: null,
  cursor: 0,
  offset: 0,
  filter: '',
  sort: null,
  descending: false,
};

/** The rows in the order that was chosen, and the columns with a mark at the one that sorts. */
export function sortList<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { sort, descending }: ListState,
): { readonly columns: readonly Column<Row>[]; readonly rows: readonly Row[] } {
  if (sort === null || sort >= columns.length) return { columns, rows };
  const at = sort;
  const marked = columns.map((column, index) =>
    index === at ? { ...column, title: `${column.title}${descending ? '↓' : '↑'}`, rank: 0 } : column,
  );
  return { columns: marked, rows: sortRows(columns, rows, at, descending) };
}

/** Where the cursor and the window came to be, for the keys that move them. */
export interface ListLayout {
  readonly keys: readonly string[];
  readonly cursor: number;
  readonly offset: number;
  /** Rows that fit. */
  readonly height: number;
}

/** Finds the cursor's row again and scrolls as little as possible to show it. */
export function placeList(list: ListState, keys: readonly string[], height: number): ListLayout {
  const found = list.key === null ? -1 : keys.indexOf(list.key);
  const cursor = Math.max(0, Math.min(found === -1 ? list.cursor : found, keys.length - 1));
  const rows = Math.max(1, height);
  const lowest = Math.max(0, keys.length - rows);
  const offset = Math.min(lowest, Math.max(cursor - rows + 1, Math.min(list.offset, cursor)));
  return { keys, cursor, offset, height: rows };
}

/** Header and visible rows, `width` cells wide, the cursor's row marked; less loudly where the keys go elsewhere. */
export function drawList<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  layout: ListLayout,
  width: number,
  none: string,
  focused = true,
): { readonly lines: Block; readonly slots: readonly TableSlot[] } {
  if (rows.length === 0) return { lines: [[span(` ${none}`, 'dim')]], slots: [] };
  const visible = rows.slice(layout.offset, layout.offset + layout.height);
  const table = layoutTable(columns, visible, width - 2);
  const body = table.rows.map((row, index) => {
    const fitted = fitLine([span(' '), ...row], width);
    if (index + layout.offset !== layout.cursor) return fitted;
    return focused ? selected(fitted) : [span('›', 'accent'), ...fitted.slice(1)];
  });
  return { lines: [[span(' '), ...table.header], ...body], slots: table.slots };
}

/** Inverse, with a mark that shows without attributes too. */
export function selected(row: Line): Line {
  return [span(`›${plainText(row).slice(1)}`, 'selected')];
}

/** ` 3/21 `, for a frame's title. */
export function position(layout: ListLayout): string {
  return layout.keys.length === 0 ? '0' : `${layout.cursor + 1}/${layout.keys.length}`;
}
