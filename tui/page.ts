/** What a page is: a pure function from data, state and size to lines, and where on them the lists came to be. */
import type { GatewaySnapshot, LogLevel } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import type { ListLayout, ListState } from './list.js';
import type { Block } from './panel.js';

export interface PageInput {
  readonly view: FeedView;
  readonly snapshot: GatewaySnapshot;
  /** Where somebody is in the list of a pane, by its name. */
  readonly list: (pane: string) => ListState;
  /** Which pane the keys go to, from 0. */
  readonly focus: number;
  /** Path of the actor that is looked at closely. */
  readonly opened: string | null;
  readonly level: LogLevel;
  readonly width: number;
  readonly height: number;
}

export interface PageOutput {
  /** Exactly `height` lines of exactly `width` cells. */
  readonly lines: Block;
  /** In the order in which Tab goes through them. */
  readonly panes: readonly PaneLayout[];
  /** Where the throughput chart goes, in cells from the page's corner. */
  readonly chart?: Rectangle;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A part of a page that keys and the mouse move in. */
export interface PaneLayout {
  /** Its list's name in the state. */
  readonly name: string;
  readonly list: ListLayout;
  /** With its frame. */
  readonly place: Rectangle;
  /** First row of the list itself. */
  readonly firstRow: number;
  /** Columns that it can be sorted by; 0: it has an order of its own. */
  readonly columns: number;
  readonly headings: readonly Heading[];
  /** `/` finds something in it. */
  readonly filters: boolean;
}

/** A column's heading on the screen: cells `[from, to)`. */
export interface Heading {
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

/** Everything on the screen that a key or a click can mean. */
export interface ScreenLayout {
  readonly panes: readonly PaneLayout[];
  /** Row 1: cells `[from, to)` of each page's name. */
  readonly tabs: readonly { readonly page: PageId; readonly from: number; readonly to: number }[];
}

export interface Page {
  readonly id: PageId;
  readonly title: string;
  /** Keys of its own for the help bar, `[key, meaning]`. */
  readonly keys: readonly (readonly [string, string])[];
  readonly draw: (input: PageInput) => PageOutput;
}

export const PAGE_IDS = ['overview', 'tree', 'upstreams', 'connections', 'logs', 'viability', 'alarms'] as const;
export type PageId = (typeof PAGE_IDS)[number];
