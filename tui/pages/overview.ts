/** Page 1: connections, throughput, traffic, upstreams and the newest log lines at a glance. */
import type { GatewaySnapshot, UpstreamSnapshot } from '#src/admin/protocol.js';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { drainLine, drainShare } from '#src/admin/view/drains.js';
import { NONE, count } from '#src/admin/view/format.js';
import { fitLine, line, span, type Line } from '#src/admin/view/line.js';
import { logLine } from '#src/admin/view/logs.js';
import { UPSTREAM_MARKS } from '#src/admin/view/marks.js';
import { connectionFacts, errorFacts, processFacts, trafficFacts } from '#src/admin/view/status.js';
import { viabilityStrip } from '#src/admin/view/viability.js';
import { drawList, placeList, sortList } from '../list.js';
import type { Page, PageInput, PageOutput, Rectangle } from '../page.js';
import { beside, factLine, gauge, panel, sparkline, type Block } from '../panel.js';
import { upstreamsMatching } from './upstreams.js';

/** Narrower than this, the chart becomes one line of blocks. */
const CHART_FROM_WIDTH = 80;
const SPARK_LABEL = 12;
/** Lower than this, S1 to S5 have the page of their own only. */
const STRIP_FROM_HEIGHT = 20;
/** How long a drain that has ended stays in sight. */
const DRAIN_SHOWN_MS = 30_000;
const MOST_DRAINS = 3;
const DRAIN_GAUGE = 16;

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
  const { snapshot, width, height } = input;
  const topHeight = height >= 30 ? 11 : height >= 20 ? 9 : 7;
  const { lines: top, chart } = drawTop(snapshot, width, topHeight);
  const strip = height >= STRIP_FROM_HEIGHT ? drawStrip(snapshot, width) : [];
  const drains = drainPanel(snapshot, width);
  const left = height - topHeight - strip.length - drains.length;
  const { columns, rows } = sortList(
    upstreamColumns(snapshot.takenAt),
    upstreamsMatching(snapshot.upstreams, input.list.filter),
    input.list,
  );
  const wanted = rows.length + 3;
  const upstreamHeight = left < 10 ? left : Math.min(wanted, Math.max(6, Math.floor(left * 0.65)));
  const list = placeList(
    input.list,
    rows.map(({ name }) => name),
    upstreamHeight - 3,
  );
  const table = drawList(columns, rows, list, width - 2, 'No upstream matches.');
  const logHeight = left - upstreamHeight;
  const log = input.view.logs.slice(-Math.max(1, logHeight - 2)).map(({ entry }) => [span(' '), ...logLine(entry)]);
  const lines: Block = [
    ...top,
    ...strip,
    ...drains,
    ...panel(upstreamTitle(snapshot.upstreams), table, width, upstreamHeight),
    ...(logHeight > 0 ? panel('Log', log, width, logHeight) : []),
  ];
  return { lines, list, ...(chart === undefined ? {} : { chart }) };
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

/** `Upstreams  ● 4 ready  ▲ 1 backoff` */
function upstreamTitle(upstreams: readonly UpstreamSnapshot[]): Line {
  const counts = Object.entries(UPSTREAM_MARKS).map(([state, mark]) => {
    const many = upstreams.filter((upstream) => upstream.state === state).length;
    return many === 0 ? [] : [span(`  ${mark.symbol} ${many} ${mark.word}`, mark.tone)];
  });
  return [span('Upstreams', 'strong'), ...counts.flat()];
}
