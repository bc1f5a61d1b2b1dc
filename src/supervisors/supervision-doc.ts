/** Renders `docs/SUPERVISION.md` from the tree. */
import { TREE, type TreeNode } from './tree.js';

export function renderSupervisionPage(): string {
  const rows: string[] = [];
  const edges: string[] = [];
  const nodes: string[] = [];
  const visit = (node: TreeNode, path: string, parent: string | null): void => {
    const key = `n${nodes.length}`;
    nodes.push(`  ${key}${shape(node)}`);
    if (parent !== null) edges.push(`  ${parent} --> ${key}`);
    rows.push(
      `| \`${path === '' ? '/' : path}\` | ${kind(node)} | ${node.restart} | ${intensity(node)} | ${node.role} |`,
    );
    if (node.type !== 'actor') for (const child of node.children) visit(child, `${path}/${child.id}`, key);
  };
  visit(TREE, '', null);
  return [
    '# Supervision tree',
    '',
    '<!-- Generated from src/supervisors/tree.ts by `npm run docs`. -->',
    '',
    'Children start from left to right and stop in reverse. Boxes are supervisors, rounded ones are actors, dashed ones come',
    'and go at run time. `viable tree` shows the tree that runs; a test boots this one and compares.',
    '',
    '```mermaid',
    'flowchart TD',
    ...nodes,
    ...edges,
    '  classDef dynamic stroke-dasharray: 4 4',
    '```',
    '',
    '| path | kind | restart | intensity | role |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '**restart** — permanent: always; transient: after an abnormal exit; temporary: never. **intensity** — more restarts than',
    'that within the window make the supervisor itself exit, and its own supervisor decide.',
    '',
  ].join('\n');
}

function kind(node: TreeNode): string {
  switch (node.type) {
    case 'actor':
      return 'actor';
    case 'supervisor':
      return node.strategy;
    case 'dynamic':
      return 'dynamic (one_for_one)';
    case 'partitioned':
      return `dynamic, partitions of ${node.partitionSize}`;
  }
}

function intensity(node: TreeNode): string {
  if (node.type === 'actor') return '';
  const { max, withinMs } = node.intensity;
  const backoff = node.type === 'supervisor' && node.backoff ? ', growing delay' : '';
  return `${max} in ${withinMs / 1_000} s${backoff}`;
}

function shape(node: TreeNode): string {
  const comesAndGoes = node.id.includes('<');
  const label = node.id.replaceAll('<', '#lt;').replaceAll('>', '#gt;');
  if (node.type === 'actor') return `(["${label}"])${comesAndGoes ? ':::dynamic' : ''}`;
  return `["${label}<br/><i>${kind(node)}</i>"]${comesAndGoes ? ':::dynamic' : ''}`;
}
