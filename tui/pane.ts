/** Panes: a framed list with a cursor, or a framed text that scrolls. Pure. */
import { line, span, type Line } from '#src/admin/view/line.js';
import type { Column } from '#src/admin/view/table.js';
import { drawList, placeList, position, sortList, type ListLayout } from './list.js';
import type { Heading, PageInput, PaneLayout, Rectangle } from './page.js';
import { panel, type Block } from './panel.js';

export interface Pane {
  readonly lines: Block;
  readonly layout: PaneLayout;
}

export interface ListPane<Row> extends Pane {
  /** The row under the cursor. */
  readonly chosen: Row | undefined;
}

export interface PaneOptions {
  /** Its list's name in the state. */
  readonly name: string;
  readonly title: string;
  /** Behind the title. */
  readonly note?: Line;
  readonly place: Rectangle;
  /** Keys go here; `alone`: they can go nowhere else, so the frame need not say it. */
  readonly focused: boolean | 'alone';
}

export interface ListPaneOptions<Row> extends PaneOptions {
  readonly columns: readonly Column<Row>[];
  /** As the filter has left them. */
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Said when there are no rows. */
  readonly none: string;
  /** Keeps the order of its rows. */
  readonly fixedOrder?: true;
  readonly filters?: false;
}

export function listPane<Row>(input: PageInput, options: ListPaneOptions<Row>): ListPane<Row> {
  const { name, place, focused } = options;
  const state = input.list(name);
  const fixed = options.fixedOrder === true;
  const { columns, rows } = fixed ? options : sortList(options.columns, options.rows, state);
  const list = placeList(state, rows.map(options.keyOf), place.height - 3);
  const { lines, slots } = drawList(columns, rows, list, place.width - 2, options.none, focused !== false);
  const headings = slots.map(({ column, from, width }): Heading => {
    const left = place.left + 2 + from;
    return { column, from: left, to: left + width };
  });
  return {
    lines: framed(options, span(`  ${position(list)}`, 'dim'), lines),
    chosen: rows[list.cursor],
    layout: {
      name,
      list,
      place,
      firstRow: place.top + 2,
      columns: fixed ? 0 : columns.length,
      headings: fixed ? [] : headings,
      filters: options.filters !== false,
    },
  };
}

/** @param content drawn for `place.width - 2` cells; what does not fit in height is scrolled to */
export function textPane(input: PageInput, options: PaneOptions & { readonly content: Block }): Pane {
  const { name, place, content } = options;
  const height = Math.max(1, place.height - 2);
  const last = Math.max(0, content.length - height);
  const top = Math.min(last, input.list(name).cursor);
  const list: ListLayout = {
    keys: Array.from({ length: last + 1 }, (_, row) => String(row)),
    cursor: top,
    offset: top,
    height,
  };
  const more = last === 0 ? '' : `  ${top + 1}–${top + height} of ${content.length}`;
  return {
    lines: framed(options, span(more, 'dim'), content.slice(top, top + height)),
    // Below its end: no row of it can be chosen.
    layout: { name, list, place, firstRow: place.top + place.height, columns: 0, headings: [], filters: false },
  };
}

function framed(
  { title, note = [], place, focused }: PaneOptions,
  where: ReturnType<typeof span>,
  content: Block,
): Block {
  const label = line(span(title, 'strong'), where, ...note);
  return panel(label, content, place.width, place.height, focused === true);
}
