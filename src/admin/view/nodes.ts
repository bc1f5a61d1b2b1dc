/** One actor of the supervision tree, as names and values. Pure: one definition for every dashboard. */
import type { SupervisionNode } from '../protocol.js';
import { count, duration } from './format.js';
import { line, span, type Line } from './line.js';
import { NODE_MARKS, marked } from './marks.js';

/** State, life, mailbox, handled, children, in this order. The last fault is apart: it can be long. */
export function nodeFacts(node: SupervisionNode, now: number): readonly (readonly [string, Line])[] {
  const { urgent, normal } = node.mailbox;
  const kind = [node.kind, node.restart, node.strategy].filter((part) => part !== undefined).join(', ');
  return [
    ['State', [...marked(NODE_MARKS[node.state]), span(`  ${kind}`, 'dim')]],
    [
      'Life',
      line(
        `incarnation ${node.incarnation}, `,
        span(`${count(node.restarts)} restarts`, node.restarts > 0 ? 'warn' : 'plain'),
        span(`, up ${duration(now - node.startedAt)}`),
      ),
    ],
    ['Mailbox', line(span(`${count(urgent)} urgent`, urgent > 0 ? 'warn' : 'plain'), `, ${count(normal)} normal`)],
    ['Handled', line(count(node.handled))],
    ['Children', line(count(node.childCount))],
  ];
}

/** The node at `path`; `undefined` when the snapshot does not list it. */
export function findNode(root: SupervisionNode, path: string): SupervisionNode | undefined {
  if (root.path === path) return root;
  for (const child of root.children) {
    const found = findNode(child, path);
    if (found !== undefined) return found;
  }
  return undefined;
}
