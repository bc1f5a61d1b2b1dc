/** Connections, throughput, latency, upstreams and the newest log lines at a glance. */
import { signalLines } from '#src/admin/view/alarms.js';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { count, latency, percent } from '#src/admin/view/format.js';
import { span } from '#src/admin/view/line.js';
import { logLine } from '#src/admin/view/logs.js';
import { connectionFacts, processFacts, trafficFacts } from '#src/admin/view/status.js';
import { Chart } from '../chart.js';
import { facts, h, panel, spans } from '../dom.js';
import { breakersPanel, poolsPanel } from '../gauges.js';
import type { Page, PageInput } from '../page.js';
import { table } from '../table.js';
import { viabilityStrip } from '#src/admin/view/viability.js';
import { drainPanel } from './drain.js';

/** One for the life of the page: charts are kept over redraws. */
export interface OverviewCharts {
  readonly throughput: Chart;
  readonly latency: Chart;
  readonly load: Chart;
}

export function overviewCharts(): OverviewCharts {
  return {
    throughput: new Chart({
      label: 'Messages a second, last minute',
      series: [{ label: 'messages/s', colour: '--chart-1' }],
      format: count,
    }),
    latency: new Chart({
      label: 'Latency of calls',
      series: [
        { label: 'p50', colour: '--chart-1' },
        { label: 'p99', colour: '--chart-2', dashed: true },
      ],
      format: latency,
    }),
    load: new Chart({
      label: 'CPU and errors',
      series: [
        { label: 'CPU', colour: '--chart-1' },
        { label: 'errors', colour: '--chart-2', dashed: true },
      ],
      format: percent,
    }),
  };
}

export function overviewPage(charts: OverviewCharts): Page {
  return { id: 'overview', title: 'Overview', draw: (input) => draw(input, charts) };
}

function draw(input: PageInput, charts: OverviewCharts): readonly Node[] {
  const { snapshot, view } = input;
  fill(input, charts);
  return [
    ...drainPanel(input),
    ...alarmStrip(input),
    h(
      'div',
      { class: 'grid three' },
      panel('Connections', facts(connectionFacts(snapshot))),
      panel('Traffic', facts(trafficFacts(snapshot))),
      panel('Process', facts(processFacts(snapshot))),
    ),
    h(
      'div',
      { class: 'grid three' },
      panel('Throughput', charts.throughput.element),
      panel('Latency', charts.latency.element),
      panel('CPU and errors', charts.load.element),
    ),
    panel(
      'Upstreams',
      table({
        caption: 'Upstreams',
        columns: upstreamColumns(snapshot.takenAt),
        rows: snapshot.upstreams,
        keyOf: ({ name }) => name,
        state: input.table,
        onChange: input.redraw,
        empty: 'No upstream is configured.',
      }),
    ),
    h(
      'div',
      { class: 'grid two' },
      panel('Pools', poolsPanel(snapshot.upstreams)),
      panel('Breakers, 10 minutes', breakersPanel(snapshot.breakers, snapshot.takenAt)),
    ),
    panel(
      'Algedonic log',
      h(
        'ol',
        { class: 'log' },
        signalLines(snapshot.alarms, snapshot.takenAt)
          .slice(0, 8)
          .map((line) => h('li', {}, spans(line))),
      ),
    ),
    panel(
      'Log',
      h(
        'ol',
        { class: 'log' },
        view.logs.slice(-8).map(({ entry }) => h('li', {}, spans(logLine(entry)))),
      ),
    ),
  ];
}

/** S1 to S5 in a line, and the alarms that live. */
function alarmStrip({ snapshot }: PageInput): readonly Node[] {
  const { active } = snapshot.alarms;
  const worst = active[0];
  const alarm = worst ? [span(`▲ ${worst.severity}: ${worst.message}`, 'bad')] : [span('nothing hurts', 'dim')];
  const more = active.length > 1 ? [span(` and ${active.length - 1} more`, 'dim')] : [];
  return [h('p', { class: 'strip panel' }, spans([...viabilityStrip(snapshot.vsm), ...alarm, ...more]))];
}

function fill({ snapshot, history }: PageInput, charts: OverviewCharts): void {
  const { perSecond } = snapshot.throughput;
  const end = Math.floor(snapshot.takenAt / 1_000);
  charts.throughput.set(
    perSecond.map((_, at) => end - perSecond.length + 1 + at),
    [perSecond],
  );
  const { points } = history;
  const times = points.map(({ at }) => at);
  charts.latency.set(times, [points.map(({ p50 }) => p50), points.map(({ p99 }) => p99)]);
  charts.load.set(times, [points.map(({ cpu }) => cpu), points.map(({ errors }) => errors)]);
}
