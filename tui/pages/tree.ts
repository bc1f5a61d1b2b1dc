/** Page 2: the live supervision tree, and the whole of the chosen actor's last fault. */
import type { SupervisionNode } from '#src/admin/protocol.js';
import { treeColumns } from '#src/admin/view/columns.js';
import { NONE, clock, count, duration } from '#src/admin/view/format.js';
import { line, span, type Line } from '#src/admin/view/line.js';
import { NODE_MARKS, marked } from '#src/admin/view/marks.js';
import { drawable, wrapText } from '#src/admin/view/text.js';
import { treeRows } from '#src/admin/view/tree.js';
import { drawList, placeList, position } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { panel, type Block } from '../panel.js';

/** Shorter pages give the detail's room to the tree. */
const DETAIL_FROM_HEIGHT = 18;
const DETAIL_HEIGHT = 6;

export const treePage: Page = {
  id: 'tree',
  title: 'Tree',
  keys: [
    ['/', 'Filter'],
    ['K', 'Kill'],
  ],
  draw: drawTree,
};

function drawTree({ snapshot, list: state, width, height }: PageInput): PageOutput {
  const detailHeight = height >= DETAIL_FROM_HEIGHT ? DETAIL_HEIGHT : 0;
  const rows = treeRows(snapshot.tree, state.filter);
  const list = placeList(
    state,
    rows.map(({ node }) => node.path),
    height - detailHeight - 3,
  );
  const table = drawList(treeColumns(snapshot.takenAt), rows, list, width - 2, 'No actor matches.');
  const title = line(span('Supervision tree', 'strong'), span(`  ${position(list)}`, 'dim'));
  const chosen = rows[list.cursor]?.node;
  const detail = chosen === undefined ? [] : nodeDetail(chosen, snapshot.takenAt, width - 4);
  const lines = [
    ...panel(title, table, width, height - detailHeight),
    ...(detailHeight > 0 ? panel(chosen?.path ?? 'Actor', detail, width, detailHeight) : []),
  ];
  return { lines, list };
}

/** Facts of one actor in lines of at most `width` cells. */
export function nodeDetail(node: SupervisionNode, now: number, width: number): Block {
  const head: Line = [
    span(' '),
    ...marked(NODE_MARKS[node.state]),
    span(`  ${node.kind}, ${node.restart}${node.strategy === undefined ? '' : `, ${node.strategy}`}`),
    span(`  incarnation ${node.incarnation}, ${node.restarts} restarts, up ${duration(now - node.startedAt)}`, 'dim'),
  ];
  const { urgent, normal } = node.mailbox;
  const work = line(
    span(' mailbox ', 'dim'),
    `${count(urgent)} urgent, ${count(normal)} normal`,
    span('  handled ', 'dim'),
    count(node.handled),
    span('  children ', 'dim'),
    count(node.childCount),
  );
  if (node.lastFault === null) return [head, work, line(span(' last fault ', 'dim'), NONE)];
  const fault = `${clock(node.lastFault.at)} ${drawable(node.lastFault.message)}`;
  return [head, work, ...wrapText(fault, width).map((part) => line(' ', span(part, 'warn')))];
}
