/**
 * Allow and deny filters over tool, prompt and resource names.
 *
 * Patterns know `*` (any characters, none included) and `?` (exactly one character). Nothing else is special, `/` and
 * `.` included, and case counts. Matching never backtracks past the last `*`: its time is bounded by the product of
 * the two lengths whatever the pattern.
 */

export interface FilterPatterns {
  /** Names that may pass; absent means all, empty means none. */
  readonly allow?: readonly string[] | undefined;
  /** Names that may not pass; goes before `allow`. */
  readonly deny?: readonly string[] | undefined;
}

export type NameFilter = (name: string) => boolean;

/** Compiles patterns into a test: true for names that pass. */
export function compileFilter({ allow, deny }: FilterPatterns): NameFilter {
  const allowed = allow === undefined ? undefined : anyOf(allow);
  const denied = deny === undefined || deny.length === 0 ? undefined : anyOf(deny);
  return (name) => (denied === undefined || !denied(name)) && (allowed === undefined || allowed(name));
}

function anyOf(patterns: readonly string[]): NameFilter {
  const exact = new Set<string>();
  const globs: (readonly string[])[] = [];
  for (const pattern of patterns) {
    if (pattern.includes('*') || pattern.includes('?')) globs.push(Array.from(pattern));
    else exact.add(pattern);
  }
  return (name) => {
    if (exact.has(name)) return true;
    if (globs.length === 0) return false;
    const characters = Array.from(name);
    return globs.some((glob) => matches(glob, characters));
  };
}

/** Greedy matching: on a mismatch the last `*` takes one character more, earlier ones never need to. */
function matches(glob: readonly string[], name: readonly string[]): boolean {
  let g = 0;
  let n = 0;
  let star = -1; // position of the last `*`
  let taken = 0; // where in the name it began to match
  while (n < name.length) {
    if (glob[g] === '*') {
      star = g++;
      taken = n;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === name[n])) {
      g++;
      n++;
    } else if (star >= 0) {
      g = star + 1;
      n = ++taken;
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}
