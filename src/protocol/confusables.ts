/**
 * Names that people or models mix up: the report behind tool-shadowing alarms.
 *
 * Two names are confusable when their skeletons are equal: compatibility forms, case, invisible characters, separators
 * and the usual look-alike letters removed. This is the idea of Unicode TS 39, section 4, with a table of the
 * look-alikes that matter for identifiers; it warns, it never decides where a call goes.
 */
import { stripControl } from './text.js';

/** Look-alikes of Latin letters, after compatibility folding and lower-casing. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', у: 'y', х: 'x', і: 'i', ј: 'j', ѕ: 's', һ: 'h', ԁ: 'd', ԛ: 'q' },
    ...{ к: 'k', м: 'm', н: 'h', т: 't', в: 'b', ԝ: 'w', ӏ: 'l', ѵ: 'v', г: 'r', п: 'n' },
    ...{ α: 'a', ο: 'o', ν: 'v', ρ: 'p', ι: 'i', κ: 'k', υ: 'u', χ: 'x', ε: 'e', τ: 't', η: 'n', γ: 'y', ϲ: 'c' },
    ...{ ı: 'i', ɑ: 'a', ɡ: 'g', օ: 'o', '0': 'o', '1': 'l', i: 'l', '|': 'l' },
  }),
);

const SEPARATORS = /[\s_.\-/:·‐-―]+/gu;
const MARKS = /\p{M}+/gu;

/** Equal for names that look alike. Not for display. */
export function skeleton(name: string): string {
  const plain = stripControl(name.normalize('NFKD')).replace(MARKS, '').toLowerCase().replace(SEPARATORS, '');
  let result = '';
  for (const character of plain) {
    const latin = LOOK_ALIKES.get(character) ?? character;
    result += LOOK_ALIKES.get(latin) ?? latin; // Cyrillic і is i, and i is l
  }
  return result.replaceAll('rn', 'm').replaceAll('vv', 'w');
}

export interface OfferedName {
  readonly server: string;
  /** The server's own name of the tool, prompt or resource. */
  readonly name: string;
}

export interface NameConflict {
  /**
   * `duplicate`: one server lists the name twice, the later one cannot be reached. `same_name`: several servers have
   * it, told apart by their prefixes. `confusable`: different names that look alike.
   */
  readonly kind: 'duplicate' | 'same_name' | 'confusable';
  /** All offers concerned, sorted by server, then name. */
  readonly offers: readonly OfferedName[];
}

/** Reports conflicts among the names that servers offer. One report a group, in a stable order; linear but for sorting. */
export function findNameConflicts(offers: Iterable<OfferedName>): readonly NameConflict[] {
  const groups = new Map<string, OfferedName[]>();
  for (const offer of [...offers].sort(byServerAndName)) {
    const key = skeleton(offer.name);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [offer]);
    else group.push(offer);
  }
  return [...groups.keys()].sort().flatMap((key) => conflictsOf(groups.get(key) ?? []));
}

function conflictsOf(group: readonly OfferedName[]): NameConflict[] {
  if (group.length < 2) return [];
  const byName = new Map<string, OfferedName[]>();
  for (const offer of group) {
    const same = byName.get(offer.name);
    if (same === undefined) byName.set(offer.name, [offer]);
    else same.push(offer);
  }
  const conflicts: NameConflict[] = [];
  for (const same of byName.values()) {
    const servers = new Set(same.map((offer) => offer.server));
    if (servers.size < same.length) conflicts.push({ kind: 'duplicate', offers: repeated(same) });
    if (servers.size > 1) conflicts.push({ kind: 'same_name', offers: same });
  }
  if (byName.size > 1) conflicts.push({ kind: 'confusable', offers: group });
  return conflicts;
}

/** Sorted offers whose neighbour is the same. */
function repeated(offers: readonly OfferedName[]): readonly OfferedName[] {
  return offers.filter((offer, i) => offer.server === offers[i - 1]?.server || offer.server === offers[i + 1]?.server);
}

function byServerAndName(a: OfferedName, b: OfferedName): number {
  return compare(a.server, b.server) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
