/** The supervision tree that runs: restarts, mailboxes and the last fault of each actor. */
import type { AdminMessageInfo, SupervisionNode } from '#src/admin/protocol.js';
import { treeColumns } from '#src/admin/view/columns.js';
import { NONE, clock, count, duration } from '#src/admin/view/format.js';
import { line, span } from '#src/admin/view/line.js';
import { marked, NODE_MARKS } from '#src/admin/view/marks.js';
import { nodeFacts } from '#src/admin/view/nodes.js';
import { treeRows } from '#src/admin/view/tree.js';
import { facts, h, panel, spans } from '../dom.js';
import type { Action, Page, PageInput } from '../page.js';
import { table } from '../table.js';
import { button } from './upstreams.js';

export const treePage: Page = {
  id: 'tree',
  title: 'Tree',
  filters: true,
  wants: ({ chosen }) => (chosen === null ? null : { what: 'messages', actor: chosen }),
  draw,
};

function draw(input: PageInput): readonly Node[] {
  const { snapshot, filter } = input;
  const rows = treeRows(snapshot.tree, filter);
  const chosen = rows.find(({ node }) => node.path === input.table.chosen)?.node;
  const list = table({
    caption: 'Supervision tree',
    columns: treeColumns(snapshot.takenAt).filter(({ title }) => title !== 'RESTART'),
    rows,
    keyOf: ({ node }) => node.path,
    state: input.table,
    onChange: input.redraw,
    empty: 'No actor matches.',
    fixedOrder: true,
  });
  const detail = chosen ? detailOf(chosen, input) : h('p', { class: 'tone-dim' }, 'Choose an actor.');
  return [
    h(
      'div',
      { class: 'grid beside' },
      h('div', { class: 'mono-first' }, panel('Supervision tree', list)),
      panel(chosen?.path ?? 'Actor', detail),
    ),
  ];
}

function detailOf(node: SupervisionNode, { snapshot, view, act }: PageInput): HTMLElement {
  const now = snapshot.takenAt;
  const fault = node.lastFault;
  return h(
    'div',
    {},
    facts([
      ...nodeFacts(node, now),
      ['Last fault', line(fault === null ? NONE : `${clock(fault.at)}, ${duration(now - fault.at)} ago`)],
    ]),
    fault && h('p', { class: 'tone-warn' }, spans([span(fault.message)])),
    node.children.length === 0
      ? null
      : h(
          'ul',
          { class: 'tools-list', 'aria-label': 'Children' },
          node.children.map(({ id, state, restarts }) =>
            h(
              'li',
              {},
              spans([span(`${id} `), ...marked(NODE_MARKS[state]), span(` ${count(restarts)} restarts`, 'dim')]),
            ),
          ),
        ),
    act === null || node.path === '/'
      ? null
      : h(
          'div',
          { class: 'actions' },
          actionsFor(node, view.messages).map((action) => button(action, act)),
        ),
  );
}

/** One that runs is restarted or killed for good, one that was stopped is started; messages without arguments are buttons. */
function actionsFor(
  { path, state, restart }: SupervisionNode,
  messages: readonly AdminMessageInfo[],
): readonly Action[] {
  const life: readonly Action[] =
    state === 'stopped'
      ? [{ title: 'Start', question: null, method: 'restart', params: { actor: path } }]
      : [
          {
            title: 'Restart',
            question: `Restart ${path}? It is killed, and its supervisor does what its restart type (${restart}) says.`,
            method: 'kill',
            params: { actor: path },
          },
          {
            title: 'Kill',
            question: `Kill ${path} for good? It stays away until somebody starts it again.`,
            method: 'kill',
            params: { actor: path, forGood: true },
          },
        ];
  const plain = messages.filter(({ args }) => args === undefined);
  return [
    ...plain.map(({ name, description }): Action => ({
      title: `Send ${name}`,
      question: `${path}: ${description}`,
      method: 'send',
      params: { actor: path, message: name },
    })),
    ...life,
  ];
}
