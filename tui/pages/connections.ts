/** Page 4: connected clients. */
import type { ConnectionSnapshot } from '#src/admin/protocol.js';
import { connectionColumns } from '#src/admin/view/columns.js';
import { line, span } from '#src/admin/view/line.js';
import { drawList, placeList, position, sortList } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { panel } from '../panel.js';

export const connectionsPage: Page = {
  id: 'connections',
  title: 'Connections',
  keys: [
    ['/', 'Filter'],
    ['←→', 'Sort'],
    ['r', 'Reverse'],
  ],
  draw: drawConnections,
};

function drawConnections({ view, snapshot, list: state, width, height }: PageInput): PageOutput {
  const { columns, rows } = sortList(
    connectionColumns(snapshot.takenAt),
    connectionsMatching(view.connections, state.filter),
    state,
  );
  const list = placeList(
    state,
    rows.map(({ actor }) => actor),
    height - 3,
  );
  const table = drawList(columns, rows, list, width - 2, 'No connection to show.');
  const title = line(span('Connections', 'strong'), span(`  ${position(list)}`, 'dim'));
  return { lines: panel(title, table, width, height), list };
}

/** Case-insensitive part of a client, principal, address, route, transport, session or actor. */
export function connectionsMatching(
  connections: readonly ConnectionSnapshot[],
  filter: string,
): readonly ConnectionSnapshot[] {
  const needle = filter.toLowerCase();
  return connections.filter(({ client, principal, remote, route, transport, sessionId, actor }) =>
    [client, principal, remote, route, transport, sessionId, actor].some((text) =>
      text?.toLowerCase().includes(needle),
    ),
  );
}
