/**
 * What the person at the keyboard has chosen, and what each key does to it. Pure: `(state, key) → state`.
 */
import { LOG_LEVELS, type LogLevel } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import { commandOf, parseCommand, type Command } from './commands.js';
import { FRESH_LIST, type ListLayout, type ListState } from './list.js';
import { PAGE_IDS, type PageId } from './page.js';

/** How a command ended, or why a line was none. */
export interface Told {
  readonly text: string;
  readonly good: boolean;
}

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
  /** The line after `:` while it is typed. */
  readonly line: string | null;
  /** Waits for a yes. */
  readonly asked: Command | null;
  /** To be sent now; whoever sends it takes it out. */
  readonly ordered: Command | null;
  /** Shown until the next key. */
  readonly told: Told | null;
  readonly quit: boolean;
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
const LONGEST_LINE = 512;
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}]+$/u;
/** Pages whose lists can be sorted. */
const SORTING: ReadonlySet<PageId> = new Set(['overview', 'upstreams', 'connections', 'alarms']);

const QUIET = { line: null, asked: null, ordered: null, told: null, quit: false } as const;

export function initialState(intervalMs: number): UiState {
  const lists = {
    overview: FRESH_LIST,
    tree: FRESH_LIST,
    upstreams: FRESH_LIST,
    connections: FRESH_LIST,
    logs: FRESH_LIST,
    viability: FRESH_LIST,
    alarms: FRESH_LIST,
  };
  return { page: 'overview', help: false, typing: false, frozen: null, intervalMs, lists, level: 'info', ...QUIET };
}

/** @param view what is shown now, for freezing; @param layout where the page's list came to be */
export function press(state: UiState, key: Key, view: FeedView, layout: ListLayout): UiState {
  if (state.asked !== null) return answer(state, state.asked, key);
  if (state.line !== null) return typeLine(state, state.line, key);
  if (state.typing) return typeFilter(state, key);
  if (state.help) return ['?', 'escape', 'enter', 'h'].includes(key.full) ? { ...state, help: false } : state;
  const calm = state.told === null ? state : { ...state, told: null };
  return command(calm, key, view, layout) ?? sorting(calm, key) ?? general(calm, key, view) ?? move(calm, key, layout);
}

/** A command of the chosen row: sent at once, or asked before. */
function command(state: UiState, { text }: Key, view: FeedView, layout: ListLayout): UiState | undefined {
  if (text === ':') return { ...state, line: '' };
  if (text === undefined || view.snapshot === null) return undefined;
  const found = commandOf(text, state.page, layout.keys[layout.cursor] ?? null, view.snapshot);
  return found && order(state, found);
}

function order(state: UiState, wanted: Command): UiState {
  return wanted.destructive ? { ...state, asked: wanted } : { ...state, ordered: wanted };
}

function answer(state: UiState, asked: Command, { full }: Key): UiState {
  if (full === 'y') return { ...state, asked: null, ordered: asked };
  return ['n', 'escape', 'q'].includes(full) ? { ...state, asked: null } : state;
}

function typeLine(state: UiState, typed: string, { full, text }: Key): UiState {
  if (full === 'escape') return { ...state, line: null };
  if (full === 'backspace') return { ...state, line: typed === '' ? null : typed.replace(/.$/u, '') };
  if (full === 'enter') return enter({ ...state, line: null }, typed);
  const fits = text !== undefined && PRINTABLE.test(text) && typed.length + text.length <= LONGEST_LINE;
  return fits ? { ...state, line: typed + text } : state;
}

function enter(state: UiState, typed: string): UiState {
  if (typed.trim() === '') return state;
  const parsed = parseCommand(typed);
  if ('quit' in parsed) return { ...state, quit: true };
  return 'error' in parsed ? { ...state, told: { text: parsed.error, good: false } } : order(state, parsed.command);
}

/** ← and → choose the column that sorts, past the last it is the gateway's own order; `r` turns it round. */
function sorting(state: UiState, { full, text }: Key): UiState | undefined {
  if (!SORTING.has(state.page)) return undefined;
  const { sort, descending } = state.lists[state.page];
  if (text === 'r') return withList(state, state.page, { descending: !descending });
  if (full === 'right') return withList(state, state.page, { sort: sort === null ? 0 : sort + 1 });
  if (full === 'left') return withList(state, state.page, { sort: sort === null || sort === 0 ? null : sort - 1 });
  return undefined;
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
  if (text === undefined || !PRINTABLE.test(text) || filter.length + text.length > LONGEST_FILTER) return state;
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
