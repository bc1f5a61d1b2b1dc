/** Page 4: connected clients. */
import type { ConnectionSnapshot } from '#src/admin/protocol.js';
import { connectionColumns } from '#src/admin/view/columns.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { listPane } from '../pane.js';

export const connectionsPage: Page = {
  id: 'connections',
  title: 'Connections',
  keys: [
    ['/', 'Filter'],
    ['←→', 'Sort'],
    ['r', 'Reverse'],
    ['d', 'Drain'],
  ],
  draw: drawConnections,
};

function drawConnections(input: PageInput): PageOutput {
  const { view, snapshot, width, height } = input;
  const { lines, layout } = listPane(input, {
    name: 'connections',
    title: 'Connections',
    place: { left: 0, top: 0, width, height },
    focused: 'alone',
    columns: connectionColumns(snapshot.takenAt),
    rows: connectionsMatching(view.connections, input.list('connections').filter),
    keyOf: ({ actor }) => actor,
    none: 'No connection to show.',
  });
  return { lines, panes: [layout] };
}

/** Case-insensitive part of a client, principal, address, route, transport, session or actor. */
export function connectionsMatching(
  connections: readonly ConnectionSnapshot[],
  filter: string,
): readonly ConnectionSnapshot[] {
  const needle = filter.toLowerCase();
  return connections.filter(({ client, principal, role, remote, route, transport, sessionId, actor }) =>
    [client, principal, role, remote, route, transport, sessionId, actor].some((text) =>
      text?.toLowerCase().includes(needle),
    ),
  );
}
