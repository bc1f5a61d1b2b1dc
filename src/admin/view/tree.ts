/** The supervision tree as rows with branch lines, whole or only what a filter finds with the path to it. Pure. */
import type { SupervisionNode } from '../protocol.js';

export interface TreeRow {
  readonly node: SupervisionNode;
  /** Branch lines before the name. */
  readonly prefix: string;
  /** Children that the snapshot counts but does not list. */
  readonly hidden: number;
}

/** @param filter case-insensitive part of an id, state or fault; what is above and below a match stays visible */
export function treeRows(root: SupervisionNode, filter = ''): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const kept = filter === '' ? undefined : matching(root, filter.toLowerCase());
  const visit = (node: SupervisionNode, prefix: string, below: string): void => {
    if (kept?.has(node) === false) return;
    rows.push({ node, prefix, hidden: Math.max(0, node.childCount - node.children.length) });
    const children = node.children.filter((child) => kept?.has(child) !== false);
    children.forEach((child, index) => {
      const last = index === children.length - 1;
      visit(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    });
  };
  visit(root, '', '');
  return rows;
}

function matching(root: SupervisionNode, needle: string): ReadonlySet<SupervisionNode> {
  const kept = new Set<SupervisionNode>();
  const visit = (node: SupervisionNode, inside: boolean): boolean => {
    const texts = [node.id, node.state, node.lastFault?.message ?? ''];
    const own = inside || texts.some((text) => text.toLowerCase().includes(needle));
    // Every child is visited, whatever the ones before it answered.
    const below = node.children.map((child) => visit(child, own)).includes(true);
    if (own || below) kept.add(node);
    return own || below;
  };
  visit(root, false);
  return kept;
}
