/** Page 5: the log, following its end until somebody scrolls up. */
import { cutLine, line, plainText, span } from '#src/admin/view/line.js';
import { atLeast, logContains, logLine } from '#src/admin/view/logs.js';
import type { NumberedLine } from '../feed.js';
import { placeList, position, type ListState } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { panel } from '../panel.js';

export const logsPage: Page = {
  id: 'logs',
  title: 'Logs',
  keys: [
    ['/', 'Filter'],
    ['l', 'Level'],
    ['End', 'Follow'],
  ],
  draw: drawLogs,
};

function drawLogs({ view, list: state, level, width, height }: PageInput): PageOutput {
  const rows = logsMatching(view.logs, state.filter, level);
  const follows = state.key === null;
  const keys = rows.map(({ number }) => String(number));
  const place: ListState = follows ? { ...state, cursor: rows.length, offset: rows.length } : state;
  const list = placeList(place, keys, height - 2);
  const lines = rows.slice(list.offset, list.offset + list.height).map(({ entry }, index) => {
    const drawn = cutLine([span(' '), ...logLine(entry)], width - 2);
    const chosen = !follows && index + list.offset === list.cursor;
    return chosen ? [span(`›${plainText(drawn).slice(1)}`, 'selected')] : drawn;
  });
  const title = line(
    span('Log', 'strong'),
    span(`  ${position(list)}`, 'dim'),
    span(`  ${level} and above`, 'dim'),
    follows ? span('  following', 'ok') : span('  paused, End follows', 'warn'),
  );
  const shown = lines.length === 0 ? [[span(' No line matches.', 'dim')]] : lines;
  return { lines: panel(title, shown, width, height), list };
}

export function logsMatching(
  logs: readonly NumberedLine[],
  filter: string,
  level: PageInput['level'],
): readonly NumberedLine[] {
  const severe = atLeast(level);
  return logs.filter(({ entry }) => severe(entry) && (filter === '' || logContains(entry, filter)));
}
