/** The supervision tree that runs: restarts, mailboxes and the last fault of each actor. */
import type { SupervisionNode } from '#src/admin/protocol.js';
import { treeColumns } from '#src/admin/view/columns.js';
import { NONE, clock, count, duration } from '#src/admin/view/format.js';
import { line, span, type Line } from '#src/admin/view/line.js';
import { marked, NODE_MARKS } from '#src/admin/view/marks.js';
import { treeRows } from '#src/admin/view/tree.js';
import { facts, h, panel, spans } from '../dom.js';
import type { Page, PageInput } from '../page.js';
import { table } from '../table.js';
import { button } from './upstreams.js';

export const treePage: Page = { id: 'tree', title: 'Tree', filters: true, draw };

function draw(input: PageInput): readonly Node[] {
  const { snapshot, filter } = input;
  const rows = treeRows(snapshot.tree, filter);
  const chosen = rows.find(({ node }) => node.path === input.table.chosen)?.node;
  const list = table({
    caption: 'Supervision tree',
    columns: treeColumns(snapshot.takenAt),
    rows,
    keyOf: ({ node }) => node.path,
    state: input.table,
    onChange: input.redraw,
    empty: 'No actor matches.',
    fixedOrder: true,
  });
  return [
    panel('Supervision tree', list),
    panel(
      chosen?.path ?? 'Actor',
      chosen ? detailOf(chosen, input) : h('p', { class: 'tone-dim' }, 'Choose an actor.'),
    ),
  ];
}

function detailOf(node: SupervisionNode, { snapshot, act }: PageInput): HTMLElement {
  const kill = {
    title: 'Kill',
    question: `Kill ${node.path}? Its supervisor starts it again as its restart type says (${node.restart}).`,
    method: 'kill',
    params: { actor: node.path },
  } as const;
  return h(
    'div',
    {},
    facts(factsOf(node, snapshot.takenAt)),
    node.lastFault &&
      h('p', { class: 'tone-warn' }, `${clock(node.lastFault.at)} `, spans([span(node.lastFault.message)])),
    act === null || node.path === '/' ? null : h('div', { class: 'actions' }, button(kill, act)),
  );
}

function factsOf(node: SupervisionNode, now: number): readonly (readonly [string, Line])[] {
  return [
    ['State', marked(NODE_MARKS[node.state])],
    ['Kind', line([node.kind, node.restart, node.strategy ?? ''].filter((part) => part !== '').join(', '))],
    ['Incarnation', line(String(node.incarnation))],
    ['Restarts', line(count(node.restarts))],
    ['Mailbox', line(`${count(node.mailbox.urgent)} urgent, ${count(node.mailbox.normal)} normal`)],
    ['Handled', line(count(node.handled))],
    ['Up', line(duration(now - node.startedAt))],
    ['Children', line(count(node.childCount))],
    ['Last fault', line(node.lastFault === null ? NONE : `${duration(now - node.lastFault.at)} ago`)],
  ];
}
