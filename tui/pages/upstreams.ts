/** Page 3: upstreams in a list, everything known of the chosen one beside it. */
import type { BreakerSnapshot, UpstreamSnapshot } from '#src/admin/protocol.js';
import type { ToolPin } from '#src/admin/snapshot/tools.js';
import { breakerFigures, breakerState, breakerTimeline } from '#src/admin/view/breakers.js';
import { NONE, clock, count, duration } from '#src/admin/view/format.js';
import { gauge } from '#src/admin/view/gauge.js';
import { fitLine, line, lineWidth, span, type Line } from '#src/admin/view/line.js';
import { BREAKER_MARKS, UPSTREAM_MARKS, marked } from '#src/admin/view/marks.js';
import { poolGauges } from '#src/admin/view/pools.js';
import type { Column } from '#src/admin/view/table.js';
import { drawable, wrapText } from '#src/admin/view/text.js';
import { offers, upstreamFacts } from '#src/admin/view/upstreams.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { listPane, textPane } from '../pane.js';
import { beside, type Block } from '../panel.js';

const NAME_WIDTH = 13;
const GAUGE_WIDTH = 12;
/** What the timeline of the breaker spans. */
const BREAKER_SPAN_MS = 600_000;
const MOST_TIMELINE = 60;

export const upstreamsPage: Page = {
  id: 'upstreams',
  title: 'Upstreams',
  keys: [
    ['/', 'Filter'],
    ['R', 'Reconnect'],
    ['x', 'Disable, enable'],
    ['d', 'Drain'],
    ['←→', 'Sort'],
  ],
  draw: drawUpstreams,
};

const LIST_COLUMNS: readonly Column<UpstreamSnapshot>[] = [
  { title: 'UPSTREAM', min: 10, cell: (row) => span(row.name, 'strong') },
  { title: 'STATE', rank: 1, cell: (row) => marked(UPSTREAM_MARKS[row.state]) },
  { title: 'BREAKER', rank: 2, cell: (row) => marked(BREAKER_MARKS[row.breaker]) },
];

function drawUpstreams(input: PageInput): PageOutput {
  const { snapshot, view, width, height, focus } = input;
  const leftWidth = Math.max(24, Math.min(56, Math.floor(width * 0.42)));
  const rightWidth = width - leftWidth;
  const list = listPane(input, {
    name: 'upstreams',
    title: 'Upstreams',
    place: { left: 0, top: 0, width: leftWidth, height },
    focused: focus === 0,
    columns: LIST_COLUMNS,
    rows: upstreamsMatching(snapshot.upstreams, input.list('upstreams').filter),
    keyOf: ({ name }) => name,
    none: 'No upstream matches.',
  });
  const { chosen } = list;
  const breaker = snapshot.breakers.find(({ kind, name }) => kind === 'upstream' && name === chosen?.name);
  const tools = view.tools.filter(({ server }) => server === chosen?.name);
  const detail = textPane(input, {
    name: `upstreams/detail/${chosen?.name ?? ''}`,
    title: chosen?.name ?? 'Upstream',
    place: { left: leftWidth, top: 0, width: rightWidth, height },
    focused: focus >= 1,
    content: chosen === undefined ? [] : upstreamDetail(chosen, breaker, tools, snapshot.takenAt, rightWidth - 2),
  });
  return { lines: beside(list.lines, detail.lines), panes: [list.layout, detail.layout] };
}

/** Case-insensitive part of a name, state, transport or target. */
export function upstreamsMatching(upstreams: readonly UpstreamSnapshot[], filter: string): readonly UpstreamSnapshot[] {
  const needle = filter.toLowerCase();
  return upstreams.filter(({ name, state, transport, target }) =>
    [name, state, transport, target].some((text) => text.toLowerCase().includes(needle)),
  );
}

/** Lines of at most `width` cells, most telling first. */
export function upstreamDetail(
  upstream: UpstreamSnapshot,
  breaker: BreakerSnapshot | undefined,
  tools: readonly ToolPin[],
  now: number,
  width: number,
): Block {
  const facts = new Map(upstreamFacts(upstream, now));
  const named = (...names: readonly string[]): Block =>
    names.flatMap((name) => {
      const value = facts.get(name);
      return value === undefined ? [] : [fact(name, value, width)];
    });
  return [
    ...named('State', 'Era', 'Server'),
    ...(breaker === undefined ? [] : breakerFacts(breaker, now, width)),
    ...errorFacts(upstream, now, width),
    ...poolGauges(upstream.pool).map(({ name, share, tone, text }) =>
      fact(name, [span(`${gauge(share, GAUGE_WIDTH)} `, tone), ...text], width),
    ),
    fact('Checkouts', checkouts(upstream), width),
    ...named('Calls', 'In flight', 'Retries', 'Reconnects', 'Junk'),
    [],
    ...named('Transport'),
    ...wrapped('Target', upstream.target, width),
    ...wrapped('Offers', offers(upstream), width),
    ...toolLines(tools, width),
  ];
}

function breakerFacts(breaker: BreakerSnapshot, now: number, width: number): Block {
  const columns = Math.max(8, Math.min(MOST_TIMELINE, width - NAME_WIDTH - 12));
  const timeline = breakerTimeline(breaker, now, BREAKER_SPAN_MS, columns);
  const figures = breakerFigures(breaker);
  return [
    fact('Breaker', breakerState(breaker, now), width),
    ...(figures.every(({ text }) => text === '') ? [] : [fact('', figures, width)]),
    fact('', [span(timeline, breaker.state === 'closed' ? 'info' : 'warn'), span(' 10 min', 'dim')], width),
  ];
}

function errorFacts({ lastError }: UpstreamSnapshot, now: number, width: number): Block {
  if (lastError === null) return [fact('Last error', line(NONE), width)];
  return [
    fact('Last error', line(`${clock(lastError.at)}, ${duration(now - lastError.at)} ago`), width),
    ...wrapText(drawable(lastError.message), width - 2).map((part) => line(' ', span(part, 'warn'))),
  ];
}

function checkouts({ pool }: UpstreamSnapshot): Line {
  const inVain = pool.timeouts + pool.refused;
  return line(
    count(pool.checkouts),
    span('  in vain ', 'dim'),
    span(count(inVain), inVain > 0 ? 'bad' : 'dim'),
    span(`  lost ${count(pool.lost)}`, 'dim'),
  );
}

/** The tools by name; those that are kept back from clients say so. */
function toolLines(tools: readonly ToolPin[], width: number): Block {
  if (tools.length === 0) return [];
  return [
    [],
    line(span(' Tools', 'dim')),
    ...tools.map(({ tool, state }) =>
      fitLine(
        state === 'quarantined'
          ? line(' ', span(`▲ ${tool}`, 'warn'), span('  kept back', 'warn'))
          : line(` · ${tool}`),
        width,
      ),
    ),
  ];
}

/** Where room is short, dim details of the value go before anything is cut. */
function fact(name: string, value: Line, width: number): Line {
  const short = value.filter(({ tone }) => tone !== 'dim');
  const whole = NAME_WIDTH + lineWidth(value) <= width || short.length === 0;
  return [...fitLine([span(` ${name}`, 'dim')], NAME_WIDTH), ...(whole ? value : short)];
}

function wrapped(name: string, text: string, width: number): Block {
  return wrapText(drawable(text), width - NAME_WIDTH - 1).map((part, row) =>
    fact(row === 0 ? name : '', line(part), width),
  );
}
