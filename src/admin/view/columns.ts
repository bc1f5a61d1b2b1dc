/** The tables of upstreams, connections and actors: one definition for the CLI and the dashboard. Pure. */
import type { ConnectionSnapshot, SupervisionNode, UpstreamSnapshot } from '../protocol.js';
import type { PoolSnapshot } from '../snapshot/pool.js';
import { NONE, bytes, count, duration } from './format.js';
import { span, type Line } from './line.js';
import { BREAKER_MARKS, NODE_MARKS, UPSTREAM_MARKS, marked } from './marks.js';
import type { Column } from './table.js';
import type { TreeRow } from './tree.js';

/** @param now the instant of the snapshot, for ages */
export function upstreamColumns(now: number): readonly Column<UpstreamSnapshot>[] {
  return [
    { title: 'UPSTREAM', min: 16, max: 32, cell: (row) => span(row.name, 'strong') },
    { title: 'STATE', cell: (row) => upstreamState(row, now) },
    { title: 'BREAKER', rank: 1, cell: (row) => marked(BREAKER_MARKS[row.breaker]) },
    { title: 'VIA', rank: 5, cell: (row) => span(row.transport, 'dim') },
    { title: 'TOOLS', align: 'right', rank: 2, cell: (row) => quiet(row.tools) },
    { title: 'PROMPTS', align: 'right', rank: 8, cell: (row) => quiet(row.prompts) },
    { title: 'RESRC', align: 'right', rank: 7, cell: (row) => quiet(row.resources + row.resourceTemplates) },
    { title: 'NOW', align: 'right', rank: 4, cell: (row) => quiet(row.inFlight) },
    { title: 'POOL', align: 'right', rank: 4, cell: (row) => poolFigures(row.pool) },
    { title: 'CALLS', align: 'right', rank: 2, cell: (row) => quiet(row.calls) },
    { title: 'FAIL', align: 'right', rank: 1, cell: (row) => failures(row.failures) },
    { title: 'RECON', align: 'right', rank: 6, cell: (row) => quiet(row.reconnects) },
    { title: 'LAST ERROR', min: 20, max: 160, rank: 3, cell: (row) => lastError(row.lastError, now) },
  ];
}

export function connectionColumns(now: number): readonly Column<ConnectionSnapshot>[] {
  return [
    { title: 'VIA', cell: (row) => span(row.transport + (row.streaming ? ' ⇊' : ''), 'info') },
    { title: 'CLIENT', min: 16, max: 36, cell: (row) => span(row.client ?? NONE, 'strong') },
    { title: 'PRINCIPAL', min: 9, max: 24, rank: 6, cell: (row) => row.principal ?? NONE },
    { title: 'REMOTE', min: 15, max: 40, rank: 3, cell: (row) => span(row.remote, 'dim') },
    { title: 'ROUTE', min: 12, max: 32, rank: 4, cell: (row) => row.route },
    { title: 'PROTOCOL', rank: 7, cell: (row) => span(row.protocolVersion ?? NONE, 'dim') },
    { title: 'OPEN', align: 'right', rank: 2, cell: (row) => duration(now - row.openedAt) },
    { title: 'IDLE', align: 'right', rank: 5, cell: (row) => span(duration(now - row.lastSeenAt), 'dim') },
    { title: 'NOW', align: 'right', rank: 1, cell: (row) => quiet(row.inFlight) },
    { title: 'IN', align: 'right', rank: 1, cell: (row) => quiet(row.messagesIn) },
    { title: 'OUT', align: 'right', rank: 1, cell: (row) => quiet(row.messagesOut) },
    { title: 'BYTES IN', align: 'right', rank: 9, cell: (row) => span(bytes(row.bytesIn), 'dim') },
    { title: 'BYTES OUT', align: 'right', rank: 9, cell: (row) => span(bytes(row.bytesOut), 'dim') },
    {
      title: 'UNREAD',
      align: 'right',
      rank: 9,
      cell: (row) => span(bytes(row.unread), row.unread > 0 ? 'warn' : 'dim'),
    },
    { title: 'ACTOR', min: 10, rank: 8, cell: (row) => span(row.actor, 'dim') },
  ];
}

export function treeColumns(now: number): readonly Column<TreeRow>[] {
  return [
    { title: 'ACTOR', min: 34, cell: actorName },
    { title: 'STATE', cell: ({ node }) => marked(NODE_MARKS[node.state]) },
    { title: 'RESTARTS', align: 'right', rank: 1, cell: ({ node }) => warnAbove(node.restarts, 0) },
    { title: 'MAILBOX', align: 'right', rank: 2, cell: ({ node }) => mailbox(node) },
    { title: 'HANDLED', align: 'right', rank: 4, cell: ({ node }) => quiet(node.handled) },
    { title: 'UP', align: 'right', rank: 3, cell: ({ node }) => span(duration(now - node.startedAt), 'dim') },
    { title: 'RESTART', rank: 7, cell: ({ node }) => span(node.restart, 'dim') },
    { title: 'LAST FAULT', min: 16, max: 160, rank: 5, cell: ({ node }) => lastError(node.lastFault, now) },
  ];
}

function upstreamState(row: UpstreamSnapshot, now: number): Line {
  const state = marked(UPSTREAM_MARKS[row.state]);
  if (row.retryAt === null || row.state !== 'backoff') return state;
  return [...state, span(` ${duration(row.retryAt - now)}`, 'dim')];
}

/** In use of how many there may be; who waits; how many waited in vain. */
export function poolFigures({ inUse, size, maxOverflow, waiting, timeouts, refused, utilisation }: PoolSnapshot): Line {
  const inVain = timeouts + refused;
  return [
    span(`${count(inUse)}/${count(size + maxOverflow)}`, utilisation >= 0.9 ? 'warn' : inUse === 0 ? 'dim' : 'plain'),
    ...(waiting > 0 ? [span(` ${count(waiting)} wait`, 'warn')] : []),
    ...(inVain > 0 ? [span(` ${count(inVain)}✗`, 'bad')] : []),
  ];
}

function actorName({ prefix, node, hidden }: TreeRow): Line {
  const kind = node.strategy === undefined ? [] : [span(` ${node.strategy}`, 'dim')];
  const more = hidden > 0 ? [span(` (+${count(hidden)} more)`, 'dim')] : [];
  return [span(prefix, 'dim'), span(node.id, node.kind === 'supervisor' ? 'strong' : 'plain'), ...kind, ...more];
}

function mailbox({ mailbox: { urgent, normal } }: SupervisionNode): Line {
  return urgent > 0 ? [span(`${count(urgent)}!+${count(normal)}`, 'warn')] : [quiet(normal)];
}

function failures(value: number): ReturnType<typeof span> {
  return value > 0 ? span(count(value), 'bad') : quiet(value);
}

function warnAbove(value: number, limit: number): ReturnType<typeof span> {
  return value > limit ? span(count(value), 'warn') : quiet(value);
}

/** Noughts step back, so that figures stand out. */
function quiet(value: number): ReturnType<typeof span> {
  return span(count(value), value === 0 ? 'dim' : 'plain');
}

function lastError(fault: { readonly at: number; readonly message: string } | null, now: number): Line {
  return fault === null ? [span(NONE, 'dim')] : [span(`${duration(now - fault.at)} ago `, 'dim'), span(fault.message)];
}
