/** The clients: sorted by a heading, found by a filter. */
import { connectionColumns } from '#src/admin/view/columns.js';
import { panel } from '../dom.js';
import type { Page, PageInput } from '../page.js';
import { table } from '../table.js';

export const connectionsPage: Page = {
  id: 'connections',
  title: 'Connections',
  wants: () => ({ what: 'connections' }),
  filters: true,
  draw,
};

function draw({ view, snapshot, filter, table: state, redraw }: PageInput): readonly Node[] {
  const rows = view.connections.filter(({ client, principal, remote, route, transport, sessionId, actor }) =>
    [client, principal, remote, route, transport, sessionId, actor].some((text) =>
      text?.toLowerCase().includes(filter),
    ),
  );
  return [
    panel(
      `Connections (${rows.length})`,
      table({
        caption: 'Connections',
        columns: connectionColumns(snapshot.takenAt),
        rows,
        keyOf: ({ actor }) => actor,
        state,
        onChange: redraw,
        empty: 'No connection to show.',
      }),
    ),
  ];
}
