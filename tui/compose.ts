/**
 * The whole screen as lines: header, tabs, page, key bar, help. Pure, so it is tested without a terminal.
 */
import { fitLine, line, lineWidth, span, spread, toned, type Line } from '#src/admin/view/line.js';
import { phaseLine } from '#src/admin/view/status.js';
import { drawable, wrapText } from '#src/admin/view/text.js';
import { COMMANDS } from './commands.js';
import type { FeedView } from './feed.js';
import { PAGE_IDS, type Page, type PageId, type PaneLayout, type Rectangle, type ScreenLayout } from './page.js';
import { alarmsPage } from './pages/alarms.js';
import { connectionsPage } from './pages/connections.js';
import { logsPage } from './pages/logs.js';
import { overviewPage } from './pages/overview.js';
import { treePage } from './pages/tree.js';
import { upstreamsPage } from './pages/upstreams.js';
import { viabilityPage } from './pages/viability.js';
import { blank, overlay, panel, type Block } from './panel.js';
import { filterName, listOf, type UiState } from './state.js';

export const SMALLEST = { columns: 60, rows: 16 } as const;

const PAGES: Readonly<Record<PageId, Page>> = {
  overview: overviewPage,
  tree: treePage,
  upstreams: upstreamsPage,
  connections: connectionsPage,
  logs: logsPage,
  viability: viabilityPage,
  alarms: alarmsPage,
};

export interface Composed {
  /** Exactly the terminal's rows, each exactly its columns wide. */
  readonly lines: Block;
  /** Rows that are out of date and drawn grey; `[from, to)`. */
  readonly faded: readonly [number, number];
  readonly layout: ScreenLayout;
  readonly chart?: Rectangle;
}

const NO_LAYOUT: ScreenLayout = { panes: [], tabs: [] };
const HEADER_ROWS = 2;

/** @param live what the feed says now; a frozen screen shows its figures of then under the state of now */
export function composeScreen(state: UiState, live: FeedView, columns: number, rows: number): Composed {
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return tooSmall(columns, rows);
  const view = state.frozen ?? live;
  const height = rows - HEADER_ROWS - 1;
  const page = PAGES[state.page];
  const { line: tabsLine, tabs } = drawTabs(state.page, columns);
  const frame = (body: Block, layout: ScreenLayout): Block => {
    const name = filterName(state, layout);
    const { filter } = listOf(state.lists, name);
    const shown = filter === '' || state.typing ? [] : [span(`/${filter} `, 'warn')];
    const bar = keyBar(state, page, filter, columns);
    return [header(state, live, view, columns), spread(tabsLine, shown, columns), ...body, bar].map((row) =>
      fitLine(row, columns),
    );
  };
  if (view.snapshot === null || (live.link === 'refused' && state.frozen === null)) {
    const layout = { panes: [], tabs };
    return { lines: frame(waiting(live, columns, height), layout), faded: [0, 0], layout };
  }
  const drawn = page.draw({
    view,
    snapshot: view.snapshot,
    list: (pane) => listOf(state.lists, pane),
    focus: state.pane,
    opened: state.opened,
    level: state.level,
    width: columns,
    height,
  });
  const layout: ScreenLayout = { panes: drawn.panes.map(lowered), tabs };
  const faded: Composed['faded'] = live.link === 'live' ? [0, 0] : [HEADER_ROWS, rows - 1];
  if (state.asked !== null)
    return { lines: frame(overlay(drawn.lines, question(state.asked.title, columns)), layout), faded, layout };
  if (state.help) return { lines: frame(overlay(drawn.lines, help(columns, height)), layout), faded, layout };
  const chart = drawn.chart === undefined ? {} : { chart: { ...drawn.chart, top: drawn.chart.top + HEADER_ROWS } };
  return { lines: frame(drawn.lines, layout), faded, layout, ...chart };
}

/** From the page's corner to the screen's. */
function lowered(pane: PaneLayout): PaneLayout {
  const place = { ...pane.place, top: pane.place.top + HEADER_ROWS };
  return { ...pane, place, firstRow: pane.firstRow + HEADER_ROWS };
}

function header(state: UiState, live: FeedView, view: FeedView, width: number): Line {
  const right = line(
    ...(state.frozen === null ? [] : [span(' FROZEN ', 'selected'), ' ']),
    ...(live.link === 'live'
      ? [span(` every ${interval(state.intervalMs)} `, 'dim')]
      : [span(live.link === 'refused' ? ' ■ refused ' : ' ▲ reconnecting… ', 'warn')]),
  );
  const { snapshot } = view;
  if (snapshot === null) return spread([span(' viable', 'accent')], right, width);
  const left: Line = [
    span(` ${snapshot.name} `, 'accent'),
    span(`${snapshot.version}  `, 'dim'),
    ...phaseLine(snapshot),
    span(`  ${snapshot.url}  `, 'info'),
    span(snapshot.node, 'dim'),
  ];
  // What was true when the connection was lost may no longer be.
  return spread(live.link === 'live' ? left : toned(left, 'dim'), right, width);
}

function drawTabs(page: PageId, width: number): { readonly line: Line; readonly tabs: ScreenLayout['tabs'] } {
  const whole = PAGE_IDS.reduce((sum, id) => sum + PAGES[id].title.length + 4, 0);
  let from = 0;
  const drawn = PAGE_IDS.map((id, index) => {
    const { title } = PAGES[id];
    const name = whole > width && id !== page ? title.slice(0, 4) : title;
    const text = span(` ${index + 1} ${name} `, id === page ? 'selected' : 'dim');
    const tab = { page: id, from, to: from + lineWidth([text]) };
    from = tab.to;
    return { text, tab };
  });
  return { line: drawn.map(({ text }) => text), tabs: drawn.map(({ tab }) => tab) };
}

function question(title: string, width: number): Block {
  const inner = Math.min(64, width - 4);
  const text = wrapText(drawable(`${title}?`), inner - 4).map((part) => line(' ', span(part, 'warn')));
  return panel(
    'Sure?',
    [
      [],
      ...text,
      [],
      keyLine([
        ['y', 'yes'],
        ['n', 'no'],
      ]),
    ],
    inner,
    text.length + 5,
  );
}

function keyBar(state: UiState, page: Page, filter: string, width: number): Line {
  if (state.line !== null) {
    const keys = keyLine([
      ['Enter', 'do it'],
      ['Esc', 'leave'],
    ]);
    return spread(line(span(' :', 'accent'), state.line, span(' ', 'selected')), keys, width);
  }
  if (state.told !== null) {
    const { text, good } = state.told;
    return fitLine(line(span(good ? ' ✔ ' : ' ✖ ', good ? 'ok' : 'bad'), text), width);
  }
  if (state.typing) {
    const typed = line(span(' Filter: ', 'accent'), filter, span(' ', 'selected'));
    return spread(
      typed,
      keyLine([
        ['Enter', 'keep'],
        ['Esc', 'clear'],
      ]),
      width,
    );
  }
  const general: readonly (readonly [string, string])[] = [
    ['?', 'Help'],
    ['q', 'Quit'],
    ['Tab', 'Pane'],
    ['↑↓', 'Move'],
    ...page.keys,
    ['+/-', 'Refresh'],
    ['f', state.frozen === null ? 'Freeze' : 'Unfreeze'],
  ];
  // Keys that do not fit are left out whole; `?` shows them all.
  const fitting = general.filter((_, index) => lineWidth(keyLine(general.slice(0, index + 1))) <= width);
  return fitLine(keyLine(fitting), width);
}

function keyLine(keys: readonly (readonly [string, string])[]): Line {
  return keys.flatMap(([key, meaning]) => [span(` ${key}`, 'accent'), span(` ${meaning} `)]);
}

const HELP: readonly (readonly [string, string])[] = [
  ['1 … 7', 'pages'],
  ['Tab', 'next pane, then next page; Shift-Tab goes back'],
  ['↑ ↓  k j', 'one row'],
  ['PgUp PgDn', 'one screen'],
  ['Home End', 'first, last; End follows the log'],
  ['Enter', 'closer: an upstream, an actor, a message to it'],
  ['Esc', 'back; clears the filter'],
  ['/', 'filter; Enter keeps it, Esc clears it'],
  ['← → r', 'sort by a column, the other way round'],
  ['+ -', 'refresh slower, faster'],
  ['f', 'freeze and unfreeze the screen'],
  ['l', 'least severe log level (Logs)'],
  ['d', 'drain: the gateway, an upstream, a session'],
  ['R x', 'reconnect; disable or enable (Upstreams)'],
  ['R K s', 'restart, kill for good, send a message (Tree)'],
  ['a', 'acknowledge (Alarms)'],
  [':', `a command: ${COMMANDS.map(([name]) => name.split(' ')[0]).join(', ')}`],
  ['mouse', 'click tabs, rows, headings; wheel scrolls'],
  ['q', 'leave; Ctrl-C also stops a gateway started with it'],
];

function help(width: number, height: number): Block {
  const rows = HELP.map(([key, meaning]) => [...fitLine([span(` ${key}`, 'accent')], 14), span(meaning)]);
  return panel('Keys', [...rows], Math.min(66, width), Math.min(rows.length + 2, height));
}

function waiting(live: FeedView, width: number, height: number): Block {
  const text = live.reason === null ? 'Connecting to the gateway…' : `${live.reason} Trying again…`;
  const body = wrapText(drawable(text), width - 6).map((part): Line => [span(`  ${part}`)]);
  return panel('Viable', [[], ...body], width, height);
}

function tooSmall(columns: number, rows: number): Composed {
  const text = `This window has ${columns}×${rows} cells; the dashboard needs ${SMALLEST.columns}×${SMALLEST.rows}. q quits.`;
  const words = wrapText(text, Math.max(1, columns)).map((part) => fitLine([span(part)], columns));
  return { lines: [...words, ...blank(columns, rows)].slice(0, rows), faded: [0, 0], layout: NO_LAYOUT };
}

function interval(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
