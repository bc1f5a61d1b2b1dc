/** Page 2: the live supervision tree, with the chosen actor's last fault; Enter opens an actor (`actor.ts`). */
import type { SupervisionNode } from '#src/admin/protocol.js';
import { treeColumns } from '#src/admin/view/columns.js';
import { nodeFacts } from '#src/admin/view/nodes.js';
import { line, span } from '#src/admin/view/line.js';
import { treeRows } from '#src/admin/view/tree.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { listPane, textPane } from '../pane.js';
import type { Block } from '../panel.js';
import { drawActor, faultLines } from './actor.js';

/** Shorter pages give the detail's room to the tree. */
const DETAIL_FROM_HEIGHT = 18;
const DETAIL_HEIGHT = 6;

export const treePage: Page = {
  id: 'tree',
  title: 'Tree',
  keys: [
    ['Enter', 'Open'],
    ['/', 'Filter'],
    ['R', 'Restart'],
    ['K', 'Kill'],
    ['s', 'Send'],
  ],
  draw: (input) => (input.opened === null ? drawTree(input) : drawActor(input, input.opened)),
};

function drawTree(input: PageInput): PageOutput {
  const { snapshot, width, height, focus } = input;
  const detailHeight = height >= DETAIL_FROM_HEIGHT ? DETAIL_HEIGHT : 0;
  const tree = listPane(input, {
    name: 'tree',
    title: 'Supervision tree',
    place: { left: 0, top: 0, width, height: height - detailHeight },
    focused: detailHeight === 0 ? 'alone' : focus === 0,
    columns: treeColumns(snapshot.takenAt),
    rows: treeRows(snapshot.tree, input.list('tree').filter),
    keyOf: ({ node }) => node.path,
    none: 'No actor matches.',
    fixedOrder: true,
  });
  const chosen = tree.chosen?.node;
  if (detailHeight === 0) return { lines: tree.lines, panes: [tree.layout] };
  const detail = textPane(input, {
    name: `tree/detail/${chosen?.path ?? ''}`,
    title: chosen?.path ?? 'Actor',
    place: { left: 0, top: height - detailHeight, width, height: detailHeight },
    focused: focus >= 1,
    content: chosen === undefined ? [] : nodeDetail(chosen, snapshot.takenAt, width - 4),
  });
  return { lines: [...tree.lines, ...detail.lines], panes: [tree.layout, detail.layout] };
}

/** Facts of one actor, two a line, and the whole of its last fault, in lines of at most `width` cells. */
export function nodeDetail(node: SupervisionNode, now: number, width: number): Block {
  const [state, life, mailbox, handled, children] = nodeFacts(node, now).map(([name, value]) =>
    line(span(`${name.toLowerCase()} `, 'dim'), ...value, '   '),
  );
  const head = [
    line(' ', ...(state ?? []), ...(life ?? [])),
    line(' ', ...(mailbox ?? []), ...(handled ?? []), ...(children ?? [])),
  ];
  return [...head, ...faultLines(node, now, width)];
}
