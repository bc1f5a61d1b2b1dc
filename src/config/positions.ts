/** What the readers of configuration text have in common: their result, and where in the text each part of it is. */
import { type Path } from './path.js';

/** Offsets in UTF-16 units by path. */
export class Positions {
  readonly #keys = new Map<string, number>();
  readonly #values = new Map<string, number>();

  set(path: Path, value: number, key?: number): void {
    const at = nameOf(path);
    this.#values.set(at, value);
    if (key !== undefined) this.#keys.set(at, key);
  }

  /** Offset of the value, or of the key when `prefer` says so; of the nearest enclosing value when it is absent. */
  find(path: Path, prefer: 'key' | 'value'): number | undefined {
    const at = nameOf(path);
    const own = prefer === 'key' ? (this.#keys.get(at) ?? this.#values.get(at)) : this.#values.get(at);
    if (own !== undefined) return own;
    for (let length = path.length - 1; length > 0; length--) {
      const parent = nameOf(path.slice(0, length));
      const found = this.#keys.get(parent) ?? this.#values.get(parent);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** A name for each path. (What is shown of one leaves out what cannot be seen, so two keys may look alike.) */
function nameOf(path: Path): string {
  return JSON.stringify(path);
}

/** A mistake in the text itself. `path` is there where the reader knows it (duplicate keys). */
export interface SourceError {
  readonly offset: number;
  readonly message: string;
  readonly suggestion?: string;
  readonly path?: Path;
}

export interface SourceDocument {
  readonly value: unknown;
  readonly positions: Positions;
  readonly errors: readonly SourceError[];
}
