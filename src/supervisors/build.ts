/** From the tree as data to child specs: each actor's path finds its `init`. */
import {
  type ActorInit,
  actor,
  type ChildSpec,
  dynamic,
  partitioned,
  supervisor,
  type SupervisorSpec,
} from '../kernel/index.js';
import { type ActorNode, type SupervisorNode, type TreeNode, UPSTREAM } from './tree.js';

/** `init` of each actor by its path below the node that is built. An optional actor without one is left out. */
export type Inits = ReadonlyMap<string, ActorInit<never>>;

/** Restarts wait 0, 250 ms, 500 ms … 30 s as they come closer together. */
export function restartBackoff(attempt: number): number {
  return attempt <= 1 ? 0 : Math.min(30_000, 250 * 2 ** (attempt - 2));
}

/** Throws when an actor has no `init` and is not optional: a tree that cannot be what the constant says. */
export function buildSupervisor(node: SupervisorNode, inits: Inits, path = '', id = node.id): SupervisorSpec {
  return supervisor({
    id,
    restart: node.restart,
    strategy: node.strategy,
    intensity: node.intensity,
    ...(node.backoff && { backoff: restartBackoff }),
    children: node.children.flatMap((child) => build(child, inits, `${path}/${child.id}`)),
  });
}

/** The tree of one upstream. `inits` by the path below it. */
export function buildUpstream(id: string, inits: Inits): SupervisorSpec {
  return buildSupervisor(UPSTREAM, inits, '', id);
}

function build(node: TreeNode, inits: Inits, path: string): ChildSpec[] {
  switch (node.type) {
    case 'supervisor':
      return [buildSupervisor(node, inits, path)];
    case 'dynamic':
      return [dynamic({ id: node.id, restart: node.restart, intensity: node.intensity })];
    case 'partitioned': {
      const { id, restart, intensity, partitionIntensity, partitionSize } = node;
      return [partitioned({ id, restart, intensity, partitionIntensity, partitionSize })];
    }
    case 'actor':
      return buildActor(node, inits.get(path), path);
  }
}

function buildActor(node: ActorNode, init: ActorInit<never> | undefined, path: string): ChildSpec[] {
  if (init) {
    return [
      actor<never>({
        id: node.id,
        restart: node.restart,
        init,
        ...(node.shutdownMs !== undefined && { shutdownMs: node.shutdownMs }),
      }),
    ];
  }
  if (node.optional) return [];
  throw new Error(`nobody said how ${path} starts`);
}
