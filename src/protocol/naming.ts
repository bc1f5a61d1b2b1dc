/**
 * Names behind one endpoint: `<prefix>__<name>` for tools and prompts, prefixes for servers, prefixed resource URIs.
 *
 * Invariants: a prefix is made of [A-Za-z0-9_-], holds no `__` and neither begins nor ends with `_`, so the first `__`
 * of an aggregated name always ends its prefix and two different (prefix, name) pairs never meet. Everything here gives
 * the same result for the same set of names, whatever their order.
 */
import { createHash } from 'node:crypto';
import { skeleton } from './confusables.js';

export const NAME_SEPARATOR = '__';

/** Clients commonly cap tool names at 64 characters: a prefix leaves them at least half. */
export const MAX_PREFIX_LENGTH = 30;

const DISALLOWED = /[^A-Za-z0-9_-]+/g;
const UNDERSCORES = /_{2,}/g;
const OUTER_UNDERSCORES = /^_|_$/g;

/**
 * The prefix that a server's name asks for: runs of other characters become one `_`. `server` when nothing is left, as
 * of a name in another script. Several names may ask for the same one: `assignPrefixes` decides.
 */
export function namespacePrefix(serverName: string): string {
  const prefix = tidy(tidy(serverName.replace(DISALLOWED, '_')).slice(0, MAX_PREFIX_LENGTH));
  return prefix === '' ? 'server' : prefix;
}

/** Runs of `_` become one first, so at most one is left at each end. */
function tidy(text: string): string {
  return text.replace(UNDERSCORES, '_').replace(OUTER_UNDERSCORES, '');
}

/** The name under which clients see a tool or prompt of one server. The server's own name is not changed in any way. */
export function aggregateName(prefix: string, name: string): string {
  return `${prefix}${NAME_SEPARATOR}${name}`;
}

/** The inverse of `aggregateName`; `undefined` for a name without a prefix. */
export function splitAggregateName(name: string): { readonly prefix: string; readonly name: string } | undefined {
  const at = name.indexOf(NAME_SEPARATOR);
  if (at <= 0) return undefined;
  return { prefix: name.slice(0, at), name: name.slice(at + NAME_SEPARATOR.length) };
}

export interface PrefixConflict {
  /** The prefix that several servers ask for. */
  readonly prefix: string;
  /** Those servers, sorted. */
  readonly servers: readonly string[];
  /** `same`: the same prefix, resolved by a suffix. `confusable`: different ones that people mix up, left as they are. */
  readonly kind: 'same' | 'confusable';
}

export interface PrefixAssignment {
  /** Server name → prefix. Injective. */
  readonly prefixes: ReadonlyMap<string, string>;
  readonly conflicts: readonly PrefixConflict[];
}

/**
 * Gives every server its own prefix. Of servers that ask for the same one, the one whose name is exactly that prefix
 * keeps it, the others get `-` and a digest of their name: adding a server renames those of its own collision only.
 *
 * `wishes` holds prefixes set by configuration (server name → wish); a wish is sanitised like a name.
 */
export function assignPrefixes(
  names: Iterable<string>,
  wishes: ReadonlyMap<string, string> = new Map(),
): PrefixAssignment {
  const servers = [...new Set(names)].sort();
  const asking = new Map<string, string[]>();
  for (const server of servers) {
    append(asking, namespacePrefix(wishes.get(server) ?? server), server);
  }
  const prefixes = new Map<string, string>();
  const taken = new Set(asking.keys());
  const conflicts: PrefixConflict[] = [];
  for (const [prefix, group] of asking) {
    if (group.length > 1) conflicts.push({ prefix, servers: group, kind: 'same' });
    const holder = group.length === 1 ? group[0] : holderOf(prefix, group, wishes);
    for (const server of group) {
      const given = server === holder ? prefix : suffixed(prefix, server, taken);
      taken.add(given);
      prefixes.set(server, given);
    }
  }
  return { prefixes, conflicts: [...conflicts, ...confusablePrefixes(prefixes)] };
}

function holderOf(prefix: string, group: readonly string[], wishes: ReadonlyMap<string, string>): string | undefined {
  const wishing = group.filter((server) => wishes.get(server) === prefix);
  return wishing.length === 1 ? wishing[0] : group.find((server) => server === prefix);
}

function suffixed(prefix: string, server: string, taken: ReadonlySet<string>): string {
  const digest = createHash('sha256').update(server).digest('hex');
  for (let length = 6; ; length++) {
    const candidate = `${prefix.slice(0, MAX_PREFIX_LENGTH - 1 - length)}-${digest.slice(0, length)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function confusablePrefixes(prefixes: ReadonlyMap<string, string>): PrefixConflict[] {
  const alike = new Map<string, string[]>();
  for (const [server, prefix] of prefixes) append(alike, skeleton(prefix), server);
  return [...alike]
    .filter(([, servers]) => servers.length > 1)
    .map(([prefix, servers]) => ({ prefix, servers, kind: 'confusable' }));
}

function append(groups: Map<string, string[]>, key: string, value: string): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
