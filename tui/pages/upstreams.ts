/** Page 3: upstreams in a list, everything known of the chosen one beside it. */
import type { UpstreamSnapshot } from '#src/admin/protocol.js';
import type { PoolSnapshot } from '#src/admin/snapshot/pool.js';
import { NONE, bytes, clock, count, duration, percent } from '#src/admin/view/format.js';
import { fitLine, line, span, type Line } from '#src/admin/view/line.js';
import { BREAKER_MARKS, UPSTREAM_MARKS, marked } from '#src/admin/view/marks.js';
import type { Column } from '#src/admin/view/table.js';
import { drawable, wrapText } from '#src/admin/view/text.js';
import { drawList, placeList, position, sortList } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { beside, panel, type Block } from '../panel.js';

const NAME_WIDTH = 13;

export const upstreamsPage: Page = {
  id: 'upstreams',
  title: 'Upstreams',
  keys: [
    ['/', 'Filter'],
    ['R', 'Reconnect'],
    ['x', 'Disable, enable'],
    ['←→', 'Sort'],
  ],
  draw: drawUpstreams,
};

const LIST_COLUMNS: readonly Column<UpstreamSnapshot>[] = [
  { title: 'UPSTREAM', min: 10, cell: (row) => span(row.name, 'strong') },
  { title: 'STATE', rank: 1, cell: (row) => marked(UPSTREAM_MARKS[row.state]) },
];

function drawUpstreams({ snapshot, list: state, width, height }: PageInput): PageOutput {
  const { columns, rows } = sortList(LIST_COLUMNS, upstreamsMatching(snapshot.upstreams, state.filter), state);
  const list = placeList(
    state,
    rows.map(({ name }) => name),
    height - 3,
  );
  const leftWidth = Math.max(24, Math.min(44, Math.floor(width * 0.42)));
  const rightWidth = width - leftWidth;
  const table = drawList(columns, rows, list, leftWidth - 2, 'No upstream matches.');
  const title = line(span('Upstreams', 'strong'), span(`  ${position(list)}`, 'dim'));
  const chosen = rows[list.cursor];
  const detail = chosen === undefined ? [] : upstreamDetail(chosen, snapshot.takenAt, rightWidth - 2);
  const lines = beside(
    panel(title, table, leftWidth, height),
    panel(chosen?.name ?? 'Upstream', detail, rightWidth, height),
  );
  return { lines, list };
}

/** Case-insensitive part of a name, state, transport or target. */
export function upstreamsMatching(upstreams: readonly UpstreamSnapshot[], filter: string): readonly UpstreamSnapshot[] {
  const needle = filter.toLowerCase();
  return upstreams.filter(({ name, state, transport, target }) =>
    [name, state, transport, target].some((text) => text.toLowerCase().includes(needle)),
  );
}

export function upstreamDetail(upstream: UpstreamSnapshot, now: number, width: number): Block {
  const { serverInfo, lastError } = upstream;
  const state = [...marked(UPSTREAM_MARKS[upstream.state]), span(` for ${duration(now - upstream.since)}`, 'dim')];
  const retry =
    upstream.retryAt === null ? [] : [span(`, next attempt in ${duration(upstream.retryAt - now)}`, 'warn')];
  const failed = span(count(upstream.failures), upstream.failures > 0 ? 'bad' : 'dim');
  return [
    fact('State', [...state, ...retry]),
    fact('Breaker', marked(BREAKER_MARKS[upstream.breaker])),
    fact('Transport', line(upstream.transport, upstream.pid === null ? '' : span(`  pid ${upstream.pid}`, 'dim'))),
    ...wrapped('Target', upstream.target, width),
    fact('Server', line(serverInfo === null ? NONE : `${serverInfo.name} ${serverInfo.version}`)),
    fact('Protocol', line(upstream.protocolVersion ?? NONE)),
    [],
    fact('Offers', line(`${upstream.tools} tools, ${upstream.prompts} prompts,`)),
    fact('', line(`${upstream.resources} resources, ${upstream.resourceTemplates} templates`)),
    fact('Calls', line(count(upstream.calls), span('  failed ', 'dim'), failed)),
    fact(
      'In flight',
      line(count(upstream.inFlight), span(`  of ${count(upstream.concurrency.limit)} at a time`, 'dim')),
    ),
    fact(
      'Retries',
      line(count(upstream.retries.sent), span(`  ${count(upstream.retries.refused)} not in the budget`, 'dim')),
    ),
    ...poolFacts(upstream.pool),
    fact('Reconnects', line(count(upstream.reconnects))),
    fact('Junk', line(bytes(upstream.junkBytes))),
    [],
    fact(
      'Last error',
      lastError === null ? line(NONE) : line(`${clock(lastError.at)}, ${duration(now - lastError.at)} ago`),
    ),
    ...(lastError === null
      ? []
      : wrapText(drawable(lastError.message), width - 2).map((part) => line(' ', span(part, 'warn')))),
  ];
}

function poolFacts(pool: PoolSnapshot): Block {
  const { available, inUse, overflow, vacant, size, maxOverflow, waiting, waitP99, limit } = pool;
  const most = `size ${count(size)} +${count(maxOverflow)}${limit === null ? '' : `, granted ${count(limit)}`}`;
  const inVain = pool.timeouts + pool.refused;
  return [
    fact(
      'Pool',
      line(`${count(inUse)} in use, ${count(available)} free`, span(`  ${percent(100 * pool.utilisation)}`, 'dim')),
    ),
    fact('', line(`${count(overflow)} overflow, ${count(vacant)} not started`, span(`  ${most}`, 'dim'))),
    fact('Waiting', line(count(waiting), span('  p99 ', 'dim'), waitP99 === null ? NONE : `${count(waitP99)} ms`)),
    fact(
      'Checkouts',
      line(count(pool.checkouts), span('  in vain ', 'dim'), span(count(inVain), inVain > 0 ? 'bad' : 'dim')),
    ),
  ];
}

function fact(name: string, value: Line): Line {
  return [...fitLine([span(` ${name}`, 'dim')], NAME_WIDTH), ...value];
}

function wrapped(name: string, text: string, width: number): Block {
  return wrapText(drawable(text), width - NAME_WIDTH - 1).map((part, row) => fact(row === 0 ? name : '', line(part)));
}
