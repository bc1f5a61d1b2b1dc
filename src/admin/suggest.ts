/**
 * Names that people type: near misses for a name that does not exist, and actors by path, id or suffix.
 *
 * Pure; shared by the gateway's answers and the consoles.
 */
import { distance } from 'fastest-levenshtein';
import type { SupervisionNode } from './protocol.js';

const MOST_SUGGESTIONS = 3;

/** Up to three candidates that a typing slip away from `name` could have meant, best first. */
export function nearMisses(name: string, candidates: readonly string[]): readonly string[] {
  if (name === '') return [];
  const reach = Math.max(2, Math.floor(name.length / 3));
  return candidates
    .map((candidate) => ({ candidate, far: candidate.includes(name) ? 0 : distance(name, candidate) }))
    .filter(({ far }) => far <= reach)
    .sort((a, b) => a.far - b.far || a.candidate.length - b.candidate.length)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ candidate }) => candidate);
}

export type ActorMatch =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly string[] }
  | { readonly kind: 'unknown'; readonly suggestions: readonly string[] };

/**
 * The one actor that `name` means among `paths`: an exact path, or else the only path that ends in `/name`, or else the
 * only one whose last id has `name` after its colon (`memory` for `/operations/upstreams/upstream:memory`).
 */
export function matchActor(name: string, paths: readonly string[]): ActorMatch {
  if (paths.includes(name)) return { kind: 'found', path: name };
  const bare = name.replace(/^\/+/, '');
  for (const ending of [`/${bare}`, `:${bare}`]) {
    const candidates = paths.filter((path) => path.endsWith(ending));
    const [only] = candidates;
    if (only !== undefined && candidates.length === 1) return { kind: 'found', path: only };
    if (candidates.length > 1) return { kind: 'ambiguous', candidates };
  }
  return { kind: 'unknown', suggestions: suggestActors(bare, paths) };
}

/** Near misses of a whole path first, then of ids: of the last one that was typed, when it was a path. */
function suggestActors(bare: string, paths: readonly string[]): readonly string[] {
  const slash = bare.lastIndexOf('/');
  const last = bare.slice(slash + 1);
  const byId = new Map(paths.map((path) => [path.slice(path.lastIndexOf('/') + 1), path]));
  const named = new Map([...byId].map(([id, path]) => [id.slice(id.indexOf(':') + 1), path]));
  const ids = [...nearMisses(last, [...byId.keys()]), ...nearMisses(last, [...named.keys()])];
  const whole = slash === -1 ? [] : nearMisses(`/${bare}`, paths);
  const found = [...whole, ...ids.flatMap((id) => byId.get(id) ?? named.get(id) ?? [])];
  return [...new Set(found)].slice(0, MOST_SUGGESTIONS);
}

/** Paths of all nodes, parents before children. */
export function treePaths(root: SupervisionNode): readonly string[] {
  const paths: string[] = [];
  const visit = (node: SupervisionNode): void => {
    paths.push(node.path);
    node.children.forEach(visit);
  };
  visit(root);
  return paths;
}
