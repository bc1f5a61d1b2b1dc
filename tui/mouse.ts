/** What a click and the wheel do: the same as the keys. Pure: `(state, where) → state`. */
import type { PaneLayout, ScreenLayout } from './page.js';
import { goTo, sortBy, toPage, type UiState } from './state.js';

export interface MouseEvent {
  readonly kind: 'click' | 'wheelup' | 'wheeldown';
  /** Cell, from the screen's corner. */
  readonly x: number;
  readonly y: number;
}

/** Rows that one step of the wheel moves. */
const WHEEL_ROWS = 3;
const TABS_ROW = 1;

export function point(state: UiState, event: MouseEvent, layout: ScreenLayout): UiState {
  // Questions and typed lines are answered by keys alone: a click beside one must not answer it.
  if (state.asked !== null || state.line !== null || state.typing) return state;
  if (state.help) return event.kind === 'click' ? { ...state, help: false } : state;
  const calm = { ...state, told: null };
  if (event.kind === 'click' && event.y === TABS_ROW) return clickTab(calm, event, layout);
  const at = layout.panes.findIndex(({ place }) => contains(place, event));
  const pane = layout.panes[at];
  if (pane === undefined) return calm;
  const { cursor } = pane.list;
  if (event.kind === 'click') return clickPane({ ...calm, pane: at }, event, pane);
  return goTo(calm, pane, cursor + (event.kind === 'wheeldown' ? WHEEL_ROWS : -WHEEL_ROWS));
}

function clickTab(state: UiState, { x }: MouseEvent, { tabs }: ScreenLayout): UiState {
  const tab = tabs.find(({ from, to }) => x >= from && x < to);
  return tab === undefined ? state : toPage(state, tab.page);
}

function clickPane(state: UiState, { x, y }: MouseEvent, pane: PaneLayout): UiState {
  const row = y - pane.firstRow;
  if (row === -1) {
    const heading = pane.headings.find(({ from, to }) => x >= from && x < to);
    return heading === undefined ? state : sortBy(state, pane.name, heading.column);
  }
  const wanted = pane.list.offset + row;
  const there = row >= 0 && row < pane.list.height && wanted < pane.list.keys.length;
  return there ? goTo(state, pane, wanted) : state;
}

function contains({ left, top, width, height }: PaneLayout['place'], { x, y }: Pick<MouseEvent, 'x' | 'y'>): boolean {
  return x >= left && x < left + width && y >= top && y < top + height;
}
