/**
 * A map that costs one small object until something is put into it: thousands of idle sessions hold tables that most of
 * them never use, and an empty `Map` has room for four entries.
 */
export class LazyMap<K, V> {
  #map: Map<K, V> | null = null;

  get size(): number {
    return this.#map === null ? 0 : this.#map.size;
  }

  has(key: K): boolean {
    return this.#map !== null && this.#map.has(key);
  }

  get(key: K): V | undefined {
    return this.#map === null ? undefined : this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    return this.#map !== null && this.#map.delete(key);
  }

  clear(): void {
    this.#map = null;
  }

  keys(): Iterable<K> {
    return this.#map === null ? NOTHING : this.#map.keys();
  }

  values(): Iterable<V> {
    return this.#map === null ? NOTHING : this.#map.values();
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return (this.#map === null ? NOTHING : this.#map)[Symbol.iterator]();
  }
}

const NOTHING: readonly never[] = [];
