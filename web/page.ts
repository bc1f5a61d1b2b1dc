/** What a page of the dashboard is: a title, and elements from what the gateway last said. */
import type { GatewaySnapshot } from '#src/admin/protocol.js';
import type { FeedView } from './feed.js';
import type { Wanted } from '#src/admin/view/wanted.js';
import type { History } from './history.js';
import type { TableState } from './table.js';

export interface PageInput {
  readonly view: FeedView;
  readonly snapshot: GatewaySnapshot;
  readonly history: History;
  readonly table: TableState;
  readonly filter: string;
  /** Draws again, after the page has changed its own state. */
  readonly redraw: () => void;
  /** Asks whether to do it, does it, and tells how it went. Absent where the console may only look. */
  readonly act: ((action: Action) => void) | null;
}

/** Something that an operator may do from here. */
export interface Action {
  /** As on its button: `Disable`. */
  readonly title: string;
  /** What it means, for the question before it; `null` when it needs none. */
  readonly question: string | null;
  readonly method: 'send' | 'kill' | 'restart' | 'drain' | 'ack';
  readonly params: object;
}

export interface Page {
  /** In the address: `#/overview`. */
  readonly id: string;
  readonly title: string;
  /** What it needs beyond the snapshot while it is shown. */
  readonly wants?: (table: TableState) => Wanted | null;
  readonly filters?: true;
  draw(input: PageInput): readonly Node[];
}
