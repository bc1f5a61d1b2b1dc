/** Page 5: the log, following its end until somebody scrolls up, and the newest traces. */
import { cutLine, line, span, type Line } from '#src/admin/view/line.js';
import { atLeast, logContains, logLine } from '#src/admin/view/logs.js';
import { wrapText } from '#src/admin/view/text.js';
import { SPAN_COLUMNS, samplingText, spanRows, tracingAdvice } from '#src/admin/view/traces.js';
import type { NumberedLine } from '../feed.js';
import { placeList, position, selected, type ListState } from '../list.js';
import type { Page, PageInput, PageOutput, Rectangle } from '../page.js';
import { listPane, textPane, type Pane } from '../pane.js';
import { panel } from '../panel.js';

/** Rows of the pane that only says why there are no traces. */
const ADVICE_HEIGHT = 4;
const TRACES_FROM_HEIGHT = 16;

export const logsPage: Page = {
  id: 'logs',
  title: 'Logs',
  keys: [
    ['/', 'Filter'],
    ['l', 'Level'],
    ['End', 'Follow'],
  ],
  draw: drawPage,
};

function drawPage(input: PageInput): PageOutput {
  const { view, snapshot, width, height } = input;
  const advice = tracingAdvice(snapshot.telemetry);
  const roomy = height >= TRACES_FROM_HEIGHT;
  const below = !roomy ? 0 : advice === null || view.traces.length > 0 ? Math.floor(height * 0.4) : ADVICE_HEIGHT;
  const place = { left: 0, top: 0, width, height: height - below };
  const log = drawLog(input, place, below === 0 ? 'alone' : input.focus === 0);
  if (below === 0) return { lines: log.lines, panes: [log.layout] };
  const traces = drawTraces(input, { left: 0, top: height - below, width, height: below }, advice);
  return { lines: [...log.lines, ...traces.lines], panes: [log.layout, traces.layout] };
}

function drawLog(input: PageInput, place: Rectangle, focused: boolean | 'alone'): Pane {
  const { view, level } = input;
  const { width, height } = place;
  const state = input.list('logs');
  const rows = logsMatching(view.logs, state.filter, level);
  const follows = state.key === null;
  const keys = rows.map(({ number }) => String(number));
  const from: ListState = follows ? { ...state, cursor: rows.length, offset: rows.length } : state;
  const list = placeList(from, keys, height - 2);
  const lines = rows.slice(list.offset, list.offset + list.height).map(({ entry }, index): Line => {
    const drawn = cutLine([span(' '), ...logLine(entry)], width - 2);
    return !follows && index + list.offset === list.cursor ? selected(drawn) : drawn;
  });
  const title = line(
    span('Log', 'strong'),
    span(`  ${position(list)}`, 'dim'),
    span(`  ${level} and above`, 'dim'),
    follows ? span('  following', 'ok') : span('  paused, End follows', 'warn'),
  );
  const shown = lines.length === 0 ? [[span(' No line matches.', 'dim')]] : lines;
  return {
    lines: panel(title, shown, width, height, focused === true),
    layout: { name: 'logs', list, place, firstRow: place.top + 1, columns: 0, headings: [], filters: true },
  };
}

function drawTraces(input: PageInput, place: Rectangle, advice: string | null): Pane {
  const { view, snapshot, focus } = input;
  const named = {
    name: 'logs/traces',
    title: 'Traces',
    note: [span(`  ${samplingText(snapshot.telemetry)}`, 'dim')],
    place,
    focused: focus >= 1,
  };
  if (view.traces.length === 0 && advice !== null)
    return textPane(input, {
      ...named,
      content: wrapText(advice, place.width - 4).map((part) => line(' ', span(part, 'dim'))),
    });
  return listPane(input, {
    ...named,
    columns: SPAN_COLUMNS,
    rows: spanRows(view.traces, input.list('logs/traces').filter),
    keyOf: ({ trace, span: { spanId } }) => `${trace.traceId}/${spanId}`,
    none: 'No request has been traced yet, or none matches.',
    fixedOrder: true,
  });
}

export function logsMatching(
  logs: readonly NumberedLine[],
  filter: string,
  level: PageInput['level'],
): readonly NumberedLine[] {
  const severe = atLeast(level);
  return logs.filter(({ entry }) => severe(entry) && (filter === '' || logContains(entry, filter)));
}
