/** One actor of the tree: its facts, its children, and the admin messages that it takes. Part of page 2. */
import type { AdminMessageInfo, SupervisionNode } from '#src/admin/protocol.js';
import { NONE, clock, count, duration } from '#src/admin/view/format.js';
import { fitLine, line, span } from '#src/admin/view/line.js';
import { NODE_MARKS, marked } from '#src/admin/view/marks.js';
import { findNode, nodeFacts } from '#src/admin/view/nodes.js';
import type { Column } from '#src/admin/view/table.js';
import { drawable, wrapText } from '#src/admin/view/text.js';
import type { PageInput, PageOutput } from '../page.js';
import { listPane } from '../pane.js';
import { beside, panel, type Block } from '../panel.js';

const NAME_WIDTH = 12;
const MOST_FACTS = 12;

export function drawActor(input: PageInput, path: string): PageOutput {
  const { snapshot, view, width, height, focus } = input;
  const node = findNode(snapshot.tree, path);
  const facts = node === undefined ? gone() : actorFacts(node, snapshot.takenAt, width - 4);
  const top = Math.min(facts.length + 2, MOST_FACTS, Math.max(5, height - 8));
  const left = Math.floor(width / 2);
  const below = { top, height: height - top };
  const children = listPane(input, {
    name: 'actor',
    title: 'Children',
    place: { left: 0, width: left, ...below },
    focused: focus === 0,
    columns: childColumns(snapshot.takenAt),
    rows: matching(node?.children ?? [], input.list('actor').filter),
    keyOf: (child) => child.path,
    none: 'It has none.',
  });
  const messages = listPane(input, {
    name: 'actor/messages',
    title: 'Messages that it takes',
    place: { left, width: width - left, ...below },
    focused: focus >= 1,
    columns: MESSAGE_COLUMNS,
    rows: view.messages,
    keyOf: ({ name }) => name,
    none: 'None from an operator.',
    fixedOrder: true,
    filters: false,
  });
  return {
    lines: [...panel(path, facts, width, top), ...beside(children.lines, messages.lines)],
    panes: [children.layout, messages.layout],
  };
}

const MESSAGE_COLUMNS: readonly Column<AdminMessageInfo>[] = [
  { title: 'MESSAGE', cell: ({ name }) => span(name, 'strong') },
  { title: 'ARGUMENTS', rank: 1, cell: ({ args }) => (args === undefined ? span('none', 'dim') : 'JSON') },
  { title: 'WHAT IT DOES', min: 16, cell: ({ description }) => description },
];

function childColumns(now: number): readonly Column<SupervisionNode>[] {
  return [
    { title: 'CHILD', min: 14, cell: ({ id }) => span(id, 'strong') },
    { title: 'STATE', cell: ({ state }) => marked(NODE_MARKS[state]) },
    {
      title: 'RESTARTS',
      align: 'right',
      rank: 1,
      cell: ({ restarts }) => span(count(restarts), restarts > 0 ? 'warn' : 'dim'),
    },
    { title: 'UP', align: 'right', rank: 2, cell: ({ startedAt }) => span(duration(now - startedAt), 'dim') },
  ];
}

function actorFacts(node: SupervisionNode, now: number, width: number): Block {
  const named = nodeFacts(node, now).map(([name, value]) => [
    ...fitLine([span(` ${name}`, 'dim')], NAME_WIDTH),
    ...value,
  ]);
  return [...named, ...faultLines(node, now, width)];
}

/** The whole of the last fault, in lines of at most `width` cells. */
export function faultLines({ lastFault }: SupervisionNode, now: number, width: number): Block {
  if (lastFault === null) return [line(span(' last fault ', 'dim'), NONE)];
  const text = `last fault ${clock(lastFault.at)}, ${duration(now - lastFault.at)} ago: ${drawable(lastFault.message)}`;
  return wrapText(text, width).map((part) => line(' ', span(part, 'warn')));
}

function gone(): Block {
  return [line(span(' It is not in the tree any more. Esc goes back.', 'warn'))];
}

function matching(children: readonly SupervisionNode[], filter: string): readonly SupervisionNode[] {
  const needle = filter.toLowerCase();
  return children.filter(({ id, state }) => id.toLowerCase().includes(needle) || state.includes(needle));
}
