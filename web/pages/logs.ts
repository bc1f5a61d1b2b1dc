/** The log, newest at the end. */
import { LOG_LEVELS, type LogLevel } from '#src/admin/protocol.js';
import { atLeast, logContains, logLine } from '#src/admin/view/logs.js';
import { h, panel, spans } from '../dom.js';
import type { Page, PageInput } from '../page.js';

export function logsPage(): Page {
  const state: { level: LogLevel } = { level: 'info' };
  return { id: 'logs', title: 'Logs', filters: true, draw: (input) => draw(input, state) };
}

function draw({ view, filter, redraw }: PageInput, state: { level: LogLevel }): readonly Node[] {
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
  ];
}
