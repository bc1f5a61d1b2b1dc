/** Pain and pleasure: what hurts now, with acknowledgement, and what did. */
import { alarmColumns, lastResortColumns, pastSignalColumns } from '#src/admin/view/alarms.js';
import { h, panel } from '../dom.js';
import type { Action, Page, PageInput } from '../page.js';
import { table } from '../table.js';
import { button } from './upstreams.js';

export const alarmsPage: Page = { id: 'alarms', title: 'Alarms', filters: true, draw };

function draw({ snapshot, filter, table: state, redraw, act }: PageInput): readonly Node[] {
  const { alarms, takenAt } = snapshot;
  const matches = ({ source, index, message }: { source: string; index: string; message: string }): boolean =>
    [source, index, message].some((text) => text.toLowerCase().includes(filter));
  const active = alarms.active.filter(matches);
  const chosen = active.find(({ id }) => String(id) === state.chosen);
  const acknowledge: Action | null = chosen
    ? { title: `Acknowledge ${chosen.id}`, question: null, method: 'ack', params: { id: chosen.id } }
    : null;
  const common = { state, onChange: redraw };
  return [
    panel(
      `Alarms (${active.length})`,
      table({
        ...common,
        caption: 'Alarms',
        columns: alarmColumns(takenAt),
        rows: active,
        keyOf: ({ id }) => String(id),
        empty: 'Nothing hurts.',
      }),
      act && acknowledge ? h('div', { class: 'actions' }, button(acknowledge, act)) : null,
    ),
    ...(alarms.lastResort.length === 0
      ? []
      : [
          panel(
            'Said without the channel, which was dead',
            table({
              ...common,
              caption: 'Last resort',
              columns: lastResortColumns(takenAt),
              rows: alarms.lastResort,
              keyOf: ({ source, index }) => `${source}/${index}`,
              empty: '',
            }),
          ),
        ]),
    panel(
      'Over',
      table({
        ...common,
        caption: 'Past signals',
        columns: pastSignalColumns(takenAt),
        rows: alarms.history.filter(matches),
        keyOf: ({ id }) => `past/${id}`,
        empty: 'Nothing has hurt yet.',
      }),
    ),
  ];
}
