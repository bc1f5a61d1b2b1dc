/**
 * What the person at the keyboard has chosen, and what each key does to it. Pure: `(state, key) → state`.
 */
import { LOG_LEVELS, type LogLevel } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import { FRESH_LIST, type ListLayout, type ListState } from './list.js';
import { PAGE_IDS, type PageId } from './page.js';

export interface UiState {
  readonly page: PageId;
  readonly help: boolean;
  /** The filter is being typed. */
  readonly typing: boolean;
  /** What stood on the screen when it was frozen. */
  readonly frozen: FeedView | null;
  readonly intervalMs: number;
  readonly lists: Readonly<Record<PageId, ListState>>;
  readonly level: LogLevel;
}

/** A key as blessed reports it. */
export interface Key {
  /** With modifiers: `up`, `S-tab`, `C-c`, `a`, `A`. */
  readonly full: string;
  /** What it types, if anything. */
  readonly text: string | undefined;
}

/** Steps of `+` and `-`, milliseconds. */
export const INTERVALS_MS = [100, 250, 500, 1_000, 2_000, 5_000, 10_000] as const;

const LONGEST_FILTER = 64;

export function initialState(intervalMs: number): UiState {
  const lists = {
    overview: FRESH_LIST,
    tree: FRESH_LIST,
    upstreams: FRESH_LIST,
    connections: FRESH_LIST,
    logs: FRESH_LIST,
  };
  return { page: 'overview', help: false, typing: false, frozen: null, intervalMs, lists, level: 'info' };
}

/** @param view what is shown now, for freezing; @param layout where the page's list came to be */
export function press(state: UiState, key: Key, view: FeedView, layout: ListLayout): UiState {
  if (state.typing) return typeFilter(state, key);
  if (state.help) return ['?', 'escape', 'enter', 'h'].includes(key.full) ? { ...state, help: false } : state;
  return general(state, key, view) ?? move(state, key, layout);
}

function general(state: UiState, { full, text }: Key, view: FeedView): UiState | undefined {
  const numbered = text === undefined || text === '' ? undefined : PAGE_IDS[Number(text) - 1];
  if (numbered !== undefined) return { ...state, page: numbered };
  switch (text ?? '') {
    case '?':
      return { ...state, help: true };
    case '/':
      return { ...state, typing: true };
    case '+':
    case '=':
      return { ...state, intervalMs: step(state.intervalMs, 1) };
    case '-':
      return { ...state, intervalMs: step(state.intervalMs, -1) };
    case 'f':
      return { ...state, frozen: state.frozen === null ? view : null };
    case 'l':
      return state.page === 'logs' ? { ...state, level: nextLevel(state.level) } : undefined;
  }
  switch (full) {
    case 'tab':
    case 'right':
      return turn(state, 1);
    case 'S-tab':
    case 'left':
      return turn(state, -1);
    case 'escape':
      return withList(state, state.page, { filter: '' });
    case 'enter':
      return state.page === 'overview' ? openUpstream(state) : undefined;
  }
  return undefined;
}

function move(state: UiState, { full, text }: Key, layout: ListLayout): UiState {
  const target = (cursor: number): UiState => goTo(state, layout, cursor);
  switch (full) {
    case 'up':
      return target(layout.cursor - 1);
    case 'down':
      return target(layout.cursor + 1);
    case 'pageup':
      return target(layout.cursor - layout.height);
    case 'pagedown':
      return target(layout.cursor + layout.height);
    case 'home':
      return target(0);
    case 'end':
      return target(layout.keys.length - 1);
  }
  switch (text ?? '') {
    case 'k':
      return target(layout.cursor - 1);
    case 'j':
      return target(layout.cursor + 1);
    case 'g':
      return target(0);
    case 'G':
      return target(layout.keys.length - 1);
  }
  return state;
}

/** The end of the log is a place of its own: it moves with new lines. */
function goTo(state: UiState, layout: ListLayout, wanted: number): UiState {
  const cursor = Math.max(0, Math.min(wanted, layout.keys.length - 1));
  const atEnd = state.page === 'logs' && cursor === layout.keys.length - 1;
  const key = atEnd ? null : (layout.keys[cursor] ?? null);
  return withList(state, state.page, { key, cursor, offset: layout.offset });
}

function openUpstream(state: UiState): UiState {
  const { key, cursor } = state.lists.overview;
  return { ...withList(state, 'upstreams', { key, cursor, filter: state.lists.overview.filter }), page: 'upstreams' };
}

function typeFilter(state: UiState, { full, text }: Key): UiState {
  const { filter } = state.lists[state.page];
  switch (full) {
    case 'enter':
      return { ...state, typing: false };
    case 'escape':
      return { ...withList(state, state.page, { filter: '' }), typing: false };
    case 'backspace':
      return withList(state, state.page, { filter: filter.replace(/.$/u, '') });
    case 'C-u':
      return withList(state, state.page, { filter: '' });
  }
  if (text === undefined || !/^[^\p{Cc}\p{Cf}\p{Cs}]+$/u.test(text) || filter.length + text.length > LONGEST_FILTER)
    return state;
  return withList(state, state.page, { filter: filter + text });
}

function withList(state: UiState, page: PageId, part: Partial<ListState>): UiState {
  return { ...state, lists: { ...state.lists, [page]: { ...state.lists[page], ...part } } };
}

function turn(state: UiState, by: 1 | -1): UiState {
  const next = (PAGE_IDS.indexOf(state.page) + by + PAGE_IDS.length) % PAGE_IDS.length;
  return { ...state, page: PAGE_IDS[next] ?? 'overview' };
}

function step(intervalMs: number, by: 1 | -1): number {
  const steps = by === 1 ? INTERVALS_MS : [...INTERVALS_MS].reverse();
  return steps.find((candidate) => (by === 1 ? candidate > intervalMs : candidate < intervalMs)) ?? intervalMs;
}

function nextLevel(level: LogLevel): LogLevel {
  return LOG_LEVELS[(LOG_LEVELS.indexOf(level) + 1) % LOG_LEVELS.length] ?? 'info';
}
