/** Seeded randomness: the same seed, the same run. */

/** mulberry32: U(0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many events of a Poisson process fall into a step in which `mean` are expected (Knuth; by parts where many are). */
export function poisson(mean: number, random: () => number): number {
  let events = 0;
  for (let left = mean; left > 0; left -= 20) {
    const limit = Math.exp(-Math.min(left, 20));
    for (let product = random(); product > limit; product *= random()) events += 1;
  }
  return events;
}
