/**
 * What the person at the keyboard has chosen, and what each key does to it. Pure: `(state, key) → state`.
 */
import { LOG_LEVELS, type LogLevel } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import { commandOf, messageCommand, parseCommand, type Command } from './commands.js';
import { FRESH_LIST, type ListState } from './list.js';
import { PAGE_IDS, type PageId, type PaneLayout, type ScreenLayout } from './page.js';

/** How a command ended, or why a line was none. */
export interface Told {
  readonly text: string;
  readonly good: boolean;
}

/** Where somebody is in each list, by the name of its pane; one that nobody has touched is not there. */
export type Lists = Readonly<Partial<Record<string, ListState>>>;

export interface UiState {
  readonly page: PageId;
  /** Which of its panes the keys go to, from 0; more than there are means the last. */
  readonly pane: number;
  readonly help: boolean;
  /** The filter is being typed. */
  readonly typing: boolean;
  /** What stood on the screen when it was frozen. */
  readonly frozen: FeedView | null;
  readonly intervalMs: number;
  readonly lists: Lists;
  /** Path of the actor that is looked at closely on the page of the tree. */
  readonly opened: string | null;
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
/** More panes than any page has. */
const LAST_PANE = 99;

const QUIET = { line: null, asked: null, ordered: null, told: null, quit: false } as const;

export function initialState(intervalMs: number): UiState {
  const chosen = { page: 'overview', pane: 0, help: false, typing: false, frozen: null, opened: null } as const;
  return { ...chosen, intervalMs, lists: {}, level: 'info', ...QUIET };
}

export function listOf(lists: Lists, name: string): ListState {
  return lists[name] ?? FRESH_LIST;
}

/** The pane that keys go to. */
export function focusedPane({ pane }: UiState, { panes }: ScreenLayout): PaneLayout | undefined {
  return panes[Math.min(pane, panes.length - 1)];
}

/** @param view what is shown now, for freezing; @param layout where everything came to be on the screen */
export function press(state: UiState, key: Key, view: FeedView, layout: ScreenLayout): UiState {
  if (state.asked !== null) return answer(state, state.asked, key);
  if (state.line !== null) return typeLine(state, state.line, key);
  const pane = focusedPane(state, layout);
  if (state.typing) return typeFilter(state, key, filterName(state, layout));
  if (state.help) return ['?', 'escape', 'enter', 'h'].includes(key.full) ? { ...state, help: false } : state;
  const calm = state.told === null ? state : { ...state, told: null };
  return (
    command(calm, key, view, layout) ??
    (pane && sorting(calm, key, pane)) ??
    (key.full === 'enter' ? open(calm, view, layout) : undefined) ??
    general(calm, key, view, layout) ??
    (pane ? move(calm, key, pane) : calm)
  );
}

/** Commands go to the row that is chosen in the first list of the page, wherever the keys go. */
export function chosenKey({ panes }: ScreenLayout): string | null {
  const list = panes[0]?.list;
  return list?.keys[list.cursor] ?? null;
}

/** A command of the chosen row: sent at once, or asked before. */
function command(state: UiState, { text }: Key, view: FeedView, layout: ScreenLayout): UiState | undefined {
  if (text === ':') return { ...state, line: '' };
  if (text === undefined || view.snapshot === null) return undefined;
  const chosen = state.page === 'tree' && state.opened !== null ? state.opened : chosenKey(layout);
  if (text === 's' && state.page === 'tree' && chosen !== null) return { ...state, line: `send ${chosen} ` };
  const found = commandOf(text, state.page, chosen, view.snapshot, view.connections);
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
function sorting(state: UiState, { full, text }: Key, { name, columns }: PaneLayout): UiState | undefined {
  if (columns === 0) return undefined;
  const { sort, descending } = listOf(state.lists, name);
  if (text === 'r') return withList(state, name, { descending: !descending });
  const [at, count] = [sort === null ? columns : sort, columns + 1];
  if (full === 'right') return withList(state, name, { sort: columnAt((at + 1) % count, columns) });
  if (full === 'left') return withList(state, name, { sort: columnAt((at + columns) % count, columns) });
  return undefined;
}

function columnAt(at: number, columns: number): number | null {
  return at === columns ? null : at;
}

/** Sorts by a column; by the same once more, the other way round. */
export function sortBy(state: UiState, name: string, column: number): UiState {
  const { sort, descending } = listOf(state.lists, name);
  return withList(state, name, sort === column ? { descending: !descending } : { sort: column, descending: false });
}

/** Enter: closer to what is chosen. */
function open(state: UiState, view: FeedView, layout: ScreenLayout): UiState | undefined {
  const pane = focusedPane(state, layout);
  if (pane === undefined) return undefined;
  const chosen = pane.list.keys[pane.list.cursor];
  switch (pane.name) {
    case 'overview':
      return openUpstream(state, pane);
    case 'overview/signals':
      return toPage(state, 'alarms');
    case 'overview/log':
      return toPage(state, 'logs');
    case 'upstreams':
      return { ...state, pane: 1 };
    case 'tree':
    case 'actor':
      if (chosen === undefined) return undefined;
      return { ...state, opened: chosen, pane: 0, lists: { ...state.lists, actor: FRESH_LIST } };
    case 'actor/messages': {
      const message = view.messages.find(({ name }) => name === chosen);
      if (message === undefined || state.opened === null) return undefined;
      // One that takes arguments is typed to its end.
      if (message.args !== undefined) return { ...state, line: `send ${state.opened} ${message.name} ` };
      return order(state, messageCommand(state.opened, message.name));
    }
  }
  return undefined;
}

function general(state: UiState, { full, text }: Key, view: FeedView, layout: ScreenLayout): UiState | undefined {
  const numbered = text === undefined || text === '' ? undefined : PAGE_IDS[Number(text) - 1];
  if (numbered !== undefined) return toPage(state, numbered);
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
      return turnPane(state, layout, 1);
    case 'S-tab':
      return turnPane(state, layout, -1);
    case 'right':
      return turn(state, 1, 0);
    case 'left':
      return turn(state, -1, 0);
    case 'escape':
      return leave(state, layout);
  }
  return undefined;
}

/** Escape: out of what was opened, then out of the filter, then back to the first pane. */
function leave(state: UiState, layout: ScreenLayout): UiState {
  if (state.page === 'tree' && state.opened !== null) return { ...state, opened: null, pane: 0 };
  const name = filterName(state, layout);
  if (listOf(state.lists, name).filter !== '') return withList(state, name, { filter: '' });
  return { ...state, pane: 0 };
}

function move(state: UiState, { full, text }: Key, pane: PaneLayout): UiState {
  const { cursor, height, keys } = pane.list;
  const wanted: Readonly<Partial<Record<string, number>>> = {
    up: cursor - 1,
    down: cursor + 1,
    pageup: cursor - height,
    pagedown: cursor + height,
    home: 0,
    end: keys.length - 1,
  };
  const letters: Readonly<Partial<Record<string, number>>> = {
    k: cursor - 1,
    j: cursor + 1,
    g: 0,
    G: keys.length - 1,
  };
  const target = wanted[full] ?? letters[text ?? ''];
  return target === undefined ? state : goTo(state, pane, target);
}

/** The end of the log is a place of its own: it moves with new lines. */
export function goTo(state: UiState, { name, list }: PaneLayout, wanted: number): UiState {
  const cursor = Math.max(0, Math.min(wanted, list.keys.length - 1));
  const atEnd = name === 'logs' && cursor === list.keys.length - 1;
  const key = atEnd ? null : (list.keys[cursor] ?? null);
  return withList(state, name, { key, cursor, offset: list.offset });
}

function openUpstream(state: UiState, { list }: PaneLayout): UiState {
  const { filter } = listOf(state.lists, 'overview');
  const there = { key: list.keys[list.cursor] ?? null, cursor: list.cursor, filter };
  return toPage(withList(state, 'upstreams', there), 'upstreams');
}

/** The filter of the pane that has the keys; where it has none, of the page's first list. */
export function filterName(state: UiState, layout: ScreenLayout): string {
  const pane = focusedPane(state, layout);
  return pane?.filters === true ? pane.name : (layout.panes[0]?.name ?? state.page);
}

function typeFilter(state: UiState, { full, text }: Key, name: string): UiState {
  const { filter } = listOf(state.lists, name);
  switch (full) {
    case 'enter':
      return { ...state, typing: false };
    case 'escape':
      return { ...withList(state, name, { filter: '' }), typing: false };
    case 'backspace':
      return withList(state, name, { filter: filter.replace(/.$/u, '') });
    case 'C-u':
      return withList(state, name, { filter: '' });
  }
  if (text === undefined || !PRINTABLE.test(text) || filter.length + text.length > LONGEST_FILTER) return state;
  return withList(state, name, { filter: filter + text });
}

export function withList(state: UiState, name: string, part: Partial<ListState>): UiState {
  return { ...state, lists: { ...state.lists, [name]: { ...listOf(state.lists, name), ...part } } };
}

/** The page of a digit is the page itself: what was opened there is closed. */
export function toPage(state: UiState, page: PageId): UiState {
  return { ...state, page, pane: 0, opened: null };
}

/** Tab: through the panes of a page, then on to the next page. */
function turnPane(state: UiState, { panes }: ScreenLayout, by: 1 | -1): UiState {
  const at = Math.max(0, Math.min(state.pane, panes.length - 1)) + by;
  if (at >= 0 && at < panes.length) return { ...state, pane: at };
  return turn(state, by, by === 1 ? 0 : LAST_PANE);
}

function turn(state: UiState, by: 1 | -1, pane: number): UiState {
  const next = (PAGE_IDS.indexOf(state.page) + by + PAGE_IDS.length) % PAGE_IDS.length;
  return { ...toPage(state, PAGE_IDS[next] ?? 'overview'), pane };
}

function step(intervalMs: number, by: 1 | -1): number {
  const steps = by === 1 ? INTERVALS_MS : [...INTERVALS_MS].reverse();
  return steps.find((candidate) => (by === 1 ? candidate > intervalMs : candidate < intervalMs)) ?? intervalMs;
}

function nextLevel(level: LogLevel): LogLevel {
  return LOG_LEVELS[(LOG_LEVELS.indexOf(level) + 1) % LOG_LEVELS.length] ?? 'info';
}
