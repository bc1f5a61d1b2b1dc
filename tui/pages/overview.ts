/** Page 1: connections, throughput, traffic, upstreams, pools, breakers, pains and the newest log lines at a glance. */
import type { GatewaySnapshot, UpstreamSnapshot } from '#src/admin/protocol.js';
import { signalLines } from '#src/admin/view/alarms.js';
import { breakerFigures, breakerState, breakerTimeline, troubledFirst } from '#src/admin/view/breakers.js';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { drainLine, drainShare } from '#src/admin/view/drains.js';
import { NONE, count } from '#src/admin/view/format.js';
import { gauge, sparkline } from '#src/admin/view/gauge.js';
import { cutLine, fitLine, line, span, type Line } from '#src/admin/view/line.js';
import { logLine } from '#src/admin/view/logs.js';
import { UPSTREAM_MARKS } from '#src/admin/view/marks.js';
import { fullestFirst, poolText, toneOf } from '#src/admin/view/pools.js';
import { connectionFacts, errorFacts, processFacts, trafficFacts } from '#src/admin/view/status.js';
import { cutText, drawable } from '#src/admin/view/text.js';
import { viabilityStrip } from '#src/admin/view/viability.js';
import type { Page, PageInput, PageOutput, Rectangle } from '../page.js';
import { listPane, textPane, type Pane } from '../pane.js';
import { beside, factLine, panel, type Block } from '../panel.js';
import { upstreamsMatching } from './upstreams.js';

/** Narrower than this, the chart becomes one line of blocks. */
const CHART_FROM_WIDTH = 80;
const SPARK_LABEL = 12;
/** Lower than this, S1 to S5 have the page of their own only. */
const STRIP_FROM_HEIGHT = 20;
/** Smaller than this, pools and breakers are columns of the upstreams only. */
const GAUGES_FROM = { width: 80, height: 30 } as const;
/** How long a drain that has ended stays in sight. */
const DRAIN_SHOWN_MS = 30_000;
const MOST_DRAINS = 3;
const DRAIN_GAUGE = 16;
const LITTLE_ROOM = 12;
const LEAST_LOG = 3;
const POOL_NAME = 16;
const BREAKER_NAME = 18;
/** What the timeline of a breaker spans. */
export const BREAKER_SPAN_MS = 600_000;

export const overviewPage: Page = {
  id: 'overview',
  title: 'Overview',
  keys: [
    ['Enter', 'Details'],
    ['d', 'Drain'],
    ['←→', 'Sort'],
  ],
  draw: drawOverview,
};

function drawOverview(input: PageInput): PageOutput {
  const { snapshot, width, height, focus } = input;
  const topHeight = height >= 30 ? 11 : height >= 20 ? 9 : 7;
  const { lines: top, chart } = drawTop(snapshot, width, topHeight);
  const strip = height >= STRIP_FROM_HEIGHT ? drawStrip(snapshot, width) : [];
  const drains = drainPanel(snapshot, width);
  const above = topHeight + strip.length + drains.length;
  const left = height - above;
  const rows = upstreamsMatching(snapshot.upstreams, input.list('overview').filter);
  const heights = shares(left, rows.length, width, height);
  const upstreams = listPane(input, {
    name: 'overview',
    title: 'Upstreams',
    note: upstreamNote(snapshot.upstreams),
    place: { left: 0, top: above, width, height: heights.upstreams },
    focused: heights.below === 0 ? 'alone' : focus === 0,
    columns: upstreamColumns(snapshot.takenAt),
    rows,
    keyOf: ({ name }) => name,
    none: 'No upstream matches.',
  });
  const gauges = heights.gauges > 0 ? drawGauges(snapshot, width, heights.gauges) : [];
  const lowest = above + heights.upstreams + heights.gauges;
  const below = heights.below > 0 ? drawBelow(input, { left: 0, top: lowest, width, height: heights.below }) : [];
  const belowLines = below.length === 0 ? [] : beside(...below.map(({ lines }) => lines));
  return {
    lines: [...top, ...strip, ...drains, ...upstreams.lines, ...gauges, ...belowLines],
    panes: [upstreams.layout, ...below.map(({ layout }) => layout)],
    ...(chart === undefined ? {} : { chart }),
  };
}

/** How the rows below the top are given out. */
function shares(
  left: number,
  upstreams: number,
  width: number,
  height: number,
): { readonly upstreams: number; readonly gauges: number; readonly below: number } {
  if (left < 8) return { upstreams: left, gauges: 0, below: 0 };
  const roomy = width >= GAUGES_FROM.width && height >= GAUGES_FROM.height;
  const gauges = roomy ? Math.max(5, Math.min(2 + Math.max(4, upstreams), Math.floor(left * 0.3))) : 0;
  const tables = left - gauges;
  // The log is on a page of its own: where there is little room, upstreams have it.
  const most = tables <= LITTLE_ROOM ? tables - LEAST_LOG : Math.floor(tables * 0.6);
  const table = Math.min(upstreams + 3, most);
  return { upstreams: table, gauges, below: left - gauges - table };
}

/** Pains and pleasures beside the log. */
function drawBelow(input: PageInput, place: Rectangle): readonly Pane[] {
  const { snapshot, focus } = input;
  const half = Math.floor(place.width / 2);
  const signals = (at: Rectangle): Pane =>
    textPane(input, {
      name: 'overview/signals',
      title: 'Algedonic log',
      place: at,
      focused: focus === 1,
      content: signalLines(snapshot.alarms, snapshot.takenAt).map((row) => cutLine([span(' '), ...row], at.width - 2)),
    });
  const log = (at: Rectangle): Pane =>
    textPane(input, {
      name: 'overview/log',
      title: 'Log',
      place: at,
      focused: focus >= 2,
      content: input.view.logs
        .slice(-Math.max(1, at.height - 2))
        .map(({ entry }) => cutLine([span(' '), ...logLine(entry)], at.width - 2)),
    });
  return [signals({ ...place, width: half }), log({ ...place, left: half, width: place.width - half })];
}

/** Pools by how full they are, and breakers by how little they let through. */
function drawGauges(snapshot: GatewaySnapshot, width: number, height: number): Block {
  const half = Math.floor(width / 2);
  const bar = Math.max(6, Math.min(24, half - 44));
  const pools = fullestFirst(snapshot.upstreams).map(({ name, pool }): Line => {
    const title = fitLine([span(cutText(drawable(name), POOL_NAME - 1))], POOL_NAME);
    return [span(' '), ...title, span(gauge(pool.utilisation, bar), toneOf(pool)), span(' '), ...poolText(pool)];
  });
  const past = Math.max(6, Math.min(30, width - half - 62));
  const breakers = troubledFirst(snapshot.breakers).map((row): Line => {
    const title = fitLine([span(cutText(drawable(row.name), BREAKER_NAME - 1))], BREAKER_NAME);
    const spark = breakerTimeline(row, snapshot.takenAt, BREAKER_SPAN_MS, past);
    return [
      span(' '),
      ...title,
      span(`${spark} `, row.state === 'closed' ? 'dim' : 'warn'),
      ...breakerState(row, snapshot.takenAt),
      span('  '),
      ...breakerFigures(row),
    ];
  });
  const none: Block = [[span(' There is none.', 'dim')]];
  return beside(
    panel('Pools', pools.length === 0 ? none : pools, half, height),
    panel('Breakers, 10 minutes', breakers.length === 0 ? none : breakers, width - half, height),
  );
}

/** S1 to S5, and what hurts most. */
function drawStrip(snapshot: GatewaySnapshot, width: number): Block {
  const [worst] = snapshot.alarms.active;
  const more = snapshot.alarms.active.length - 1;
  const alarm = worst
    ? [span(`▲ ${worst.severity} ${worst.message}`, 'bad'), ...(more > 0 ? [span(` +${more}`, 'dim')] : [])]
    : [span('nothing hurts', 'dim')];
  return panel('Viability', [[span(' '), ...viabilityStrip(snapshot.vsm), ...alarm]], width, 3);
}

function drawTop(snapshot: GatewaySnapshot, width: number, height: number): { lines: Block; chart?: Rectangle } {
  if (width < CHART_FROM_WIDTH) {
    const half = Math.floor(width / 2);
    const spark = sparkLine(snapshot, width - half - 2);
    const traffic = [spark, ...facts(smallTraffic(snapshot), width - half - 2)];
    return {
      lines: beside(
        panel('Connections', facts(connectionFacts(snapshot), half - 2), half, height),
        panel('Traffic', traffic, width - half, height),
      ),
    };
  }
  const leftWidth = width >= 110 ? 32 : 25;
  const rightWidth = width >= 110 ? 36 : 26;
  const middle = width - leftWidth - rightWidth;
  const left = [...connectionFacts(snapshot), ...processFacts(snapshot)];
  return {
    lines: beside(
      panel('Connections', facts(left, leftWidth - 2), leftWidth, height),
      panel(throughputTitle(snapshot), chartBackground(snapshot), middle, height),
      panel('Traffic', facts(roomyTraffic(snapshot), rightWidth - 2), rightWidth, height),
    ),
    ...(snapshot.throughput.perSecond.length === 0
      ? {}
      : { chart: { left: leftWidth + 1, top: 1, width: middle - 2, height: height - 2 } }),
  };
}

/** Drains that run, and those that ended a moment ago; nothing when there are none. */
function drainPanel(snapshot: GatewaySnapshot, width: number): Block {
  const shown = snapshot.drains
    .filter(({ endedAt }) => endedAt === null || snapshot.takenAt - endedAt < DRAIN_SHOWN_MS)
    .slice(-MOST_DRAINS);
  if (shown.length === 0) return [];
  const rows = shown.map((drain) => [
    span(' '),
    span(gauge(drainShare(drain), DRAIN_GAUGE), 'info'),
    span(' '),
    ...drainLine(drain, snapshot.takenAt),
  ]);
  return panel('Draining', rows, width, rows.length + 2);
}

function facts(named: readonly (readonly [string, Line])[], width: number): Block {
  return named.map((fact) => factLine(fact, width));
}

/** Most telling first: what does not fit is cut at the bottom. */
function roomyTraffic(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  const [inFlight, latencies, answered, failed, messages] = trafficFacts(snapshot);
  const ordered = [inFlight, latencies, ...errorFacts(snapshot), failed, answered, messages];
  return ordered.filter((fact) => fact !== undefined);
}

function smallTraffic(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  return roomyTraffic(snapshot).slice(0, 5);
}

function messagesNow(snapshot: GatewaySnapshot): string {
  const last = snapshot.throughput.perSecond.at(-1);
  return last === undefined ? NONE : count(last);
}

function throughputTitle(snapshot: GatewaySnapshot): Line {
  return line(span('Throughput', 'strong'), ` ${messagesNow(snapshot)} msg/s`);
}

function chartBackground(snapshot: GatewaySnapshot): Block {
  return snapshot.throughput.perSecond.length === 0 ? [[span(' No whole second has passed yet.', 'dim')]] : [];
}

function sparkLine(snapshot: GatewaySnapshot, width: number): Line {
  const blocks = sparkline(snapshot.throughput.perSecond, Math.max(0, width - SPARK_LABEL - 2));
  return [span(' '), ...fitLine([span(`${messagesNow(snapshot)} msg/s`)], SPARK_LABEL), span(blocks, 'info')];
}

/** `  ● 4 ready  ▲ 1 backoff` */
function upstreamNote(upstreams: readonly UpstreamSnapshot[]): Line {
  return Object.entries(UPSTREAM_MARKS).flatMap(([state, mark]) => {
    const many = upstreams.filter((upstream) => upstream.state === state).length;
    return many === 0 ? [] : [span(`  ${mark.symbol} ${many} ${mark.word}`, mark.tone)];
  });
}
