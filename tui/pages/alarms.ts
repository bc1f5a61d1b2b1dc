/** Page 7: what hurts now, worst first, and what has. `a` acknowledges the chosen one. */
import { alarmColumns, lastResortColumns, pastSignalColumns } from '#src/admin/view/alarms.js';
import type { AlarmSnapshot } from '#src/admin/snapshot/vsm.js';
import type { Page, PageInput, PageOutput, Rectangle } from '../page.js';
import { listPane, type Pane } from '../pane.js';

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

function draw(input: PageInput): PageOutput {
  const { snapshot, width, height, focus } = input;
  const { alarms, takenAt } = snapshot;
  const pastHeight = height < PAST_FROM_HEIGHT ? 0 : Math.max(PAST_HEIGHT, Math.floor(height * 0.4));
  const active = listPane(input, {
    name: 'alarms',
    title: 'Alarms',
    place: { left: 0, top: 0, width, height: height - pastHeight },
    focused: pastHeight === 0 ? 'alone' : focus === 0,
    columns: alarmColumns(takenAt),
    rows: alarmsMatching(alarms.active, input.list('alarms').filter),
    keyOf: ({ id }) => String(id),
    none: 'Nothing hurts.',
  });
  if (pastHeight === 0) return { lines: active.lines, panes: [active.layout] };
  const past = drawPast(input, { left: 0, top: height - pastHeight, width, height: pastHeight });
  return { lines: [...active.lines, ...past.lines], panes: [active.layout, past.layout] };
}

function drawPast(input: PageInput, place: Rectangle): Pane {
  const { alarms, takenAt } = input.snapshot;
  const focused = input.focus >= 1;
  if (alarms.lastResort.length > 0)
    return listPane(input, {
      name: 'alarms/unheard',
      title: 'Said without the channel, which was dead',
      place,
      focused,
      columns: lastResortColumns(takenAt),
      rows: alarms.lastResort,
      keyOf: ({ source, index }) => `${source}/${index}`,
      none: '',
      filters: false,
    });
  return listPane(input, {
    name: 'alarms/past',
    title: 'Over',
    place,
    focused,
    columns: pastSignalColumns(takenAt),
    rows: alarmsMatching(alarms.history, input.list('alarms/past').filter),
    keyOf: ({ id }) => String(id),
    none: 'Nothing has hurt yet.',
  });
}

/** Case-insensitive part of a source, an index or what is said. */
export function alarmsMatching<Signal extends Pick<AlarmSnapshot, 'source' | 'index' | 'message'>>(
  alarms: readonly Signal[],
  filter: string,
): readonly Signal[] {
  const needle = filter.toLowerCase();
  return alarms.filter(({ source, index, message }) =>
    [source, index, message].some((text) => text.toLowerCase().includes(needle)),
  );
}
