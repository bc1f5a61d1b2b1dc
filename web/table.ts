/** Tables of the consoles' columns: sorted by a click or Enter on a heading, rows chosen by click or keyboard. */
import type { Line, Span } from '#src/admin/view/line.js';
import { sortRows } from '#src/admin/view/sort.js';
import type { Column } from '#src/admin/view/table.js';
import { h, spans } from './dom.js';

export interface TableState {
  /** Title of the column that sorts; `null`: the order of the gateway. */
  sort: string | null;
  descending: boolean;
  /** Key of the chosen row. */
  chosen: string | null;
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly state: TableState;
  readonly onChange: () => void;
  /** Shown when there is no row. */
  readonly empty: string;
  /** Columns more important than this rank are shown on a phone. */
  readonly phoneRank?: number;
  /** Rows keep the gateway's order: a tree. */
  readonly fixedOrder?: true;
}

/** Rows beyond this are counted and not drawn: a filter finds them. */
const MOST_ROWS = 500;

export function table<Row>(options: TableOptions<Row>): HTMLElement {
  const { caption, columns, rows, state, empty, phoneRank = 2 } = options;
  const narrow = (column: Column<Row>): string => ((column.rank ?? 0) > phoneRank ? 'wide-only' : '');
  const at = options.fixedOrder ? -1 : columns.findIndex(({ title }) => title === state.sort);
  const sorted = sortRows(columns, rows, at, state.descending);
  const hidden = sorted.length - MOST_ROWS;
  return h(
    'div',
    { class: 'table-box', 'data-scroll': caption },
    h(
      'table',
      {},
      h('caption', { class: 'sr-only' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map((column) => heading(column, narrow(column), options)),
        ),
      ),
      h(
        'tbody',
        {},
        sorted.slice(0, MOST_ROWS).map((row) =>
          bodyRow(
            row,
            columns.map((column) => toLine(column.cell(row))),
            columns.map(narrow),
            options,
          ),
        ),
      ),
    ),
    rows.length === 0 ? h('p', { class: 'tone-dim' }, empty) : null,
    hidden > 0 ? h('p', { class: 'tone-dim' }, `${hidden} more; filter to find them.`) : null,
  );
}

function heading<Row>(column: Column<Row>, narrow: string, options: TableOptions<Row>): HTMLElement {
  const { state, onChange, fixedOrder, caption } = options;
  const align = column.align === 'right' ? 'right' : '';
  if (fixedOrder) return h('th', { scope: 'col', class: `${narrow} ${align}` }, column.title);
  const mine = state.sort === column.title;
  const sort = mine ? (state.descending ? 'descending' : 'ascending') : 'none';
  const click = (): void => {
    // Up, down, and back to the gateway's order.
    if (!mine) Object.assign(state, { sort: column.title, descending: column.align === 'right' });
    else if (state.descending === (column.align === 'right')) state.descending = !state.descending;
    else state.sort = null;
    onChange();
  };
  const arrow = mine ? (state.descending ? ' ↓' : ' ↑') : '';
  return h(
    'th',
    { scope: 'col', 'aria-sort': sort, class: `${narrow} ${align}` },
    h('button', { type: 'button', 'data-key': `${caption}/${column.title}`, onclick: click }, column.title + arrow),
  );
}

function bodyRow<Row>(
  row: Row,
  cells: readonly Line[],
  narrow: readonly string[],
  options: TableOptions<Row>,
): HTMLElement {
  const { keyOf, state, onChange, columns, caption } = options;
  const key = keyOf(row);
  const chosen = state.chosen === key;
  const choose = (): void => {
    state.chosen = chosen ? null : key;
    onChange();
  };
  const onkeydown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') choose();
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const current = event.currentTarget as HTMLElement;
      const next = event.key === 'ArrowDown' ? current.nextElementSibling : current.previousElementSibling;
      if (next instanceof HTMLElement) next.focus();
    } else return;
    event.preventDefault();
  };
  return h(
    'tr',
    {
      tabindex: '0',
      'data-key': `${caption}/row/${key}`,
      'aria-selected': chosen ? 'true' : 'false',
      class: chosen ? 'chosen' : '',
      onclick: choose,
      onkeydown,
    },
    cells.map((line, at) =>
      h('td', { class: `${narrow[at] ?? ''} ${columns[at]?.align === 'right' ? 'right' : ''}` }, spans(line)),
    ),
  );
}

function toLine(cell: string | Span | Line): Line {
  if (typeof cell === 'string') return [{ text: cell, tone: 'plain' }];
  return 'text' in cell ? [cell] : cell;
}
