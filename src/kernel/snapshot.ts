/**
 * The live supervision tree as plain data, taken in O(nodes) without stopping or asking anybody.
 */
import { type ChildSlot, type SlotState } from './slot.js';

export interface NodeSnapshot {
  /** Path from the root, `/operations/upstreams/upstream:memory`. The root's is `/`. */
  readonly path: string;
  readonly id: string;
  readonly kind: 'supervisor' | 'actor';
  /** Supervisors only. */
  readonly strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'dynamic' | 'partitioned';
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly state: SlotState;
  readonly incarnation: number;
  readonly restarts: number;
  /** Messages that wait, by lane. */
  readonly mailbox: { readonly urgent: number; readonly normal: number };
  /** Messages handled by this incarnation. */
  readonly handled: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly lastFault: { readonly at: number; readonly message: string } | null;
  readonly childCount: number;
  /** In start order; of a dynamic supervisor at most as many as were asked for, `childCount` is the truth. */
  readonly children: readonly NodeSnapshot[];
}

/** `maxDynamic` bounds how many children of each dynamic supervisor are listed. */
export function snapshotOf(slot: ChildSlot, maxDynamic: number): NodeSnapshot {
  const { spec, cell, supervising } = slot;
  const limit = spec.type === 'dynamic' || spec.type === 'partitioned' ? maxDynamic : Infinity;
  const children: NodeSnapshot[] = [];
  for (const child of supervising?.children() ?? []) {
    if (children.length >= limit) break;
    children.push(snapshotOf(child, maxDynamic));
  }
  return {
    path: slot.path,
    id: spec.id,
    kind: spec.type === 'actor' ? 'actor' : 'supervisor',
    ...(spec.type === 'actor' ? {} : { strategy: spec.type === 'supervisor' ? spec.strategy : spec.type }),
    restart: slot.restart,
    state: slot.state,
    incarnation: slot.incarnation,
    restarts: slot.restarts,
    mailbox: cell?.depth ?? { urgent: 0, normal: 0 },
    handled: cell?.handled ?? 0,
    startedAt: cell?.startedAt ?? 0,
    lastFault: slot.lastFault,
    childCount: supervising?.childCount ?? 0,
    children,
  };
}
