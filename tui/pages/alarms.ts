/** Page 7: what hurts now, worst first, and what has. `a` acknowledges the chosen one. */
import { alarmColumns, lastResortColumns, pastSignalColumns } from '#src/admin/view/alarms.js';
import type { AlarmSnapshot } from '#src/admin/snapshot/vsm.js';
import { line, span } from '#src/admin/view/line.js';
import { layoutTable } from '#src/admin/view/table.js';
import { drawList, placeList, position, sortList } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { panel, type Block } from '../panel.js';

/** The newest of those that are over, and those that were said without the channel. */
const PAST_HEIGHT = 8;
const PAST_FROM_HEIGHT = 18;

export const alarmsPage: Page = {
  id: 'alarms',
  title: 'Alarms',
  keys: [
    ['a', 'Acknowledge'],
    ['/', 'Filter'],
    ['←→', 'Sort'],
  ],
  draw,
};

function draw({ snapshot, list: state, width, height }: PageInput): PageOutput {
  const { alarms, takenAt } = snapshot;
  const pastHeight = height >= PAST_FROM_HEIGHT ? PAST_HEIGHT : 0;
  const { columns, rows } = sortList(alarmColumns(takenAt), alarmsMatching(alarms.active, state.filter), state);
  const list = placeList(
    state,
    rows.map(({ id }) => String(id)),
    height - pastHeight - 3,
  );
  const table = drawList(columns, rows, list, width - 2, 'Nothing hurts.');
  const title = line(span('Alarms', 'strong'), span(`  ${position(list)}`, 'dim'));
  const past =
    pastHeight === 0
      ? []
      : panel(pastTitle(alarms.lastResort.length), pastRows(snapshot, width - 4), width, pastHeight);
  return { lines: [...panel(title, table, width, height - pastHeight), ...past], list };
}

function pastTitle(unheard: number): string {
  return unheard > 0 ? 'Said without the channel, which was dead' : 'Over';
}

function pastRows({ alarms, takenAt }: PageInput['snapshot'], width: number): Block {
  const { history, lastResort } = alarms;
  if (lastResort.length === 0 && history.length === 0) return [[span(' Nothing has hurt yet.', 'dim')]];
  const table =
    lastResort.length > 0
      ? layoutTable(lastResortColumns(takenAt), lastResort, width)
      : layoutTable(pastSignalColumns(takenAt), history, width);
  return [table.header, ...table.rows].map((row) => [span(' '), ...row]);
}

/** Case-insensitive part of a source, an index or what is said. */
export function alarmsMatching(alarms: readonly AlarmSnapshot[], filter: string): readonly AlarmSnapshot[] {
  const needle = filter.toLowerCase();
  return alarms.filter(({ source, index, message }) =>
    [source, index, message].some((text) => text.toLowerCase().includes(needle)),
  );
}
