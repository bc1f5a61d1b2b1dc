/** Near misses: what a mistyped key or word was probably meant to be. */
import { distance } from 'fastest-levenshtein';

/** The candidate that `word` most probably means, `undefined` when none is near. Case, `-` and `_` do not count. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const there = fold(candidate);
    const longer = Math.max(wanted.length, there.length);
    // Two swapped letters are a distance of 2.
    const limit = longer < 4 ? 1 : Math.max(2, Math.floor(longer * 0.4));
    const d = distance(wanted, there);
    if (d <= limit && d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** `1.5 s`, `30m`, `4MiB` in the unit of the option, for people who wrote a unit; `undefined` when it is no such text. */
export function inUnit(text: string, unit: 'ms' | 'bytes'): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  if (match === null) return undefined;
  const factor = FACTORS[unit].get((match[2] ?? '').toLowerCase());
  return factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const FACTORS: Readonly<Record<'ms' | 'bytes', ReadonlyMap<string, number>>> = {
  ms: new Map(Object.entries({ ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 })),
  bytes: new Map(
    Object.entries({ b: 1, k: KiB, kb: KiB, kib: KiB, m: MiB, mb: MiB, mib: MiB, g: GiB, gb: GiB, gib: GiB }),
  ),
};

function fold(text: string): string {
  return text.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, '');
}
