/** What a page is: a pure function from data, state and size to lines. */
import type { GatewaySnapshot, LogLevel } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import type { ListLayout, ListState } from './list.js';
import type { Block } from './panel.js';

export interface PageInput {
  readonly view: FeedView;
  readonly snapshot: GatewaySnapshot;
  readonly list: ListState;
  readonly level: LogLevel;
  readonly width: number;
  readonly height: number;
}

export interface PageOutput {
  /** Exactly `height` lines of exactly `width` cells. */
  readonly lines: Block;
  readonly list: ListLayout;
  /** Where the throughput chart goes, in cells from the page's corner. */
  readonly chart?: Rectangle;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
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
