/** S3's resource usage: 100·max_r(mean of the last looks of used_r/limit_r). Pure. */

export interface Use {
  readonly used: number;
  readonly limit: number;
}

/** Looks that the mean is taken over, one a second. */
const LOOKS = 10;

export class UsageWindow {
  readonly #looks = new Map<string, number[]>();

  /** `null`: this resource is not bounded, or not there. */
  look(uses: Readonly<Record<string, Use | null>>): void {
    for (const [resource, use] of Object.entries(uses)) {
      const looks = this.#looks.get(resource) ?? [];
      this.#looks.set(resource, looks);
      if (use === null || !(use.limit > 0)) {
        looks.length = 0;
        continue;
      }
      looks.push(use.used / use.limit);
      if (looks.length > LOOKS) looks.shift();
    }
  }

  /** Per cent; `null` without samples. */
  resources(): { readonly resource: string; readonly percent: number | null }[] {
    return [...this.#looks].map(([resource, looks]) => ({
      resource,
      percent: looks.length === 0 ? null : (100 * looks.reduce((sum, part) => sum + part, 0)) / looks.length,
    }));
  }

  usage(): number | null {
    const known = this.resources().flatMap(({ percent }) => percent ?? []);
    return known.length === 0 ? null : Math.max(...known);
  }
}
