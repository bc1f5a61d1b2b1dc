/** The log, newest at the end. */
import { LOG_LEVELS, type LogLevel } from '#src/admin/protocol.js';
import { atLeast, logContains, logLine } from '#src/admin/view/logs.js';
import { SPAN_COLUMNS, samplingText, spanRows, tracingAdvice } from '#src/admin/view/traces.js';
import { h, panel, spans } from '../dom.js';
import type { Page, PageInput } from '../page.js';
import { table } from '../table.js';

export function logsPage(): Page {
  const state: { level: LogLevel } = { level: 'info' };
  return {
    id: 'logs',
    title: 'Logs',
    filters: true,
    wants: () => ({ what: 'traces' }),
    draw: (input) => draw(input, state),
  };
}

function draw(input: PageInput, state: { level: LogLevel }): readonly Node[] {
  const { view, filter, redraw } = input;
  const severe = atLeast(state.level);
  const shown = view.logs.filter(({ entry }) => severe(entry) && (filter === '' || logContains(entry, filter)));
  const choose = (event: Event): void => {
    state.level = (event.target as HTMLSelectElement).value as LogLevel;
    redraw();
  };
  const level = h(
    'select',
    { 'data-key': 'level', onchange: choose },
    LOG_LEVELS.map((name) => h('option', { value: name, selected: name === state.level }, `${name} and above`)),
  );
  return [
    panel(
      `Log (${shown.length})`,
      h('label', { class: 'level' }, 'Level ', level),
      h(
        'ol',
        { class: 'log long', 'data-scroll': 'log', tabindex: '0', 'aria-label': 'Log lines' },
        shown.map(({ entry }) => h('li', {}, spans(logLine(entry)))),
      ),
    ),
    panel(`Traces (${view.traces.length})`, ...traces(input)),
  ];
}

/** The newest traces, a row a span; where there are none, how to get some. */
function traces({ view, snapshot, filter, table: state, redraw }: PageInput): readonly Node[] {
  const advice = tracingAdvice(snapshot.telemetry);
  const said = h('p', { class: 'tone-dim' }, advice ?? `${samplingText(snapshot.telemetry)} are recorded.`);
  if (view.traces.length === 0 && advice !== null) return [said];
  const list = table({
    caption: 'Traces',
    columns: SPAN_COLUMNS,
    rows: spanRows(view.traces, filter),
    keyOf: ({ trace, span: { spanId } }) => `${trace.traceId}/${spanId}`,
    state,
    onChange: redraw,
    empty: 'No request has been traced yet, or none matches.',
    fixedOrder: true,
  });
  return [said, list];
}
