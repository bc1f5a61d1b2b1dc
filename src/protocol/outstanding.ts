/**
 * What is outstanding, by the id that it goes under: a map for entries that come and go with every request. Keeps the order
 * in which they came.
 *
 * A `Map` is the wrong thing for that. When V8 rebuilds its table, which it does after every few deletions, the old table
 * points to the new one. Once an old table has outlived two young collections, it keeps all that came after it alive until the
 * next full collection, each with what was in it: here whole requests, with their sockets' buffers and headers. They were
 * a sixth of the gateway's CPU (docs/adr/0015). This one rebuilds its table in place.
 */
import { type JsonRpcId } from './jsonrpc.js';

/** Entries that it has room for at first; then twice as many, and so on. */
const ROOM = 4;
/** A table that was larger than this is given back when it is empty. */
const KEPT_ROOM = 64;
const NONE = -1;
/** Of a longer text the last characters decide: nobody may have the gateway go through megabytes for an id. */
const MOST_HASHED = 4_096;
/** Drawn, so that nobody can choose ids that all fall together. */
const FACTOR = (Math.random() * 0x1_0000_0000) | 1;

/** Source of the layout: Tyler Close's deterministic hash tables, as V8's `OrderedHashMap` has them. */
export class Outstanding<V> {
  /** In the order in which they came; `undefined` where one was taken out. No room until there is one: most clients have none. */
  #keys: (JsonRpcId | undefined)[] = NO_ROOM;
  #values: (V | undefined)[] = NO_ROOM;
  /** Of each entry the next one with the same hash. */
  #next: number[] = NO_ROOM;
  /** Of each hash the first entry. */
  #first: number[] = NO_ROOM;
  /** One past the last entry. */
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: JsonRpcId): boolean {
    return this.#find(key) !== NONE;
  }

  get(key: JsonRpcId): V | undefined {
    const at = this.#find(key);
    return at === NONE ? undefined : this.#values[at];
  }

  set(key: JsonRpcId, value: V): void {
    const known = this.#find(key);
    if (known !== NONE) {
      this.#values[known] = value;
      return;
    }
    if (this.#end === this.#keys.length) this.#makeRoom();
    this.#size += 1;
    this.#append(key, value);
  }

  delete(key: JsonRpcId): boolean {
    const at = this.#find(key);
    if (at === NONE) return false;
    this.#unlink(key, at);
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    if (at === this.#end - 1) this.#end = at;
    if (this.#size === 0) this.#emptied();
    return true;
  }

  clear(): void {
    this.#keys = NO_ROOM;
    this.#values = NO_ROOM;
    this.#next = NO_ROOM;
    this.#first = NO_ROOM;
    this.#end = 0;
    this.#size = 0;
  }

  /** Those that are in it now, oldest first. */
  values(): V[] {
    const found: V[] = [];
    for (let at = 0; at < this.#end; at += 1) if (this.#keys[at] !== undefined) found.push(this.#values[at] as V);
    return found;
  }

  #find(key: JsonRpcId): number {
    if (this.#size === 0) return NONE;
    let at = this.#first[this.#hash(key)] as number;
    while (at !== NONE && this.#keys[at] !== key) at = this.#next[at] as number;
    return at;
  }

  #hash(key: JsonRpcId): number {
    return hashOf(key) & (this.#first.length - 1);
  }

  #append(key: JsonRpcId, value: V | undefined): void {
    const at = this.#end++;
    const hash = this.#hash(key);
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#next[at] = this.#first[hash] as number;
    this.#first[hash] = at;
  }

  #unlink(key: JsonRpcId, at: number): void {
    const hash = this.#hash(key);
    const next = this.#next[at] as number;
    let before = this.#first[hash] as number;
    if (before === at) {
      this.#first[hash] = next;
      return;
    }
    while (this.#next[before] !== at) before = this.#next[before] as number;
    this.#next[before] = next;
  }

  #emptied(): void {
    this.#end = 0;
    if (this.#keys.length > KEPT_ROOM) this.clear();
  }

  /** Where half of the entries were taken out the others move together, else there is room for twice as many. */
  #makeRoom(): void {
    const keys = this.#keys;
    const values = this.#values;
    const end = this.#end;
    if (this.#size > keys.length / 2 || keys.length === 0) {
      const room = Math.max(ROOM, keys.length * 2);
      this.#keys = new Array<undefined>(room).fill(undefined);
      this.#values = new Array<undefined>(room).fill(undefined);
      this.#next = new Array<number>(room).fill(NONE);
      this.#first = new Array<number>(room).fill(NONE);
    } else {
      this.#first.fill(NONE);
    }
    this.#end = 0;
    // What is written never overtakes what is read.
    for (let at = 0; at < end; at += 1) {
      const key = keys[at];
      if (key !== undefined) this.#append(key, values[at]);
    }
    this.#keys.fill(undefined, this.#end);
    this.#values.fill(undefined, this.#end);
  }
}

const NO_ROOM: never[] = [];

function hashOf(key: JsonRpcId): number {
  if (typeof key === 'number') return spread(key | 0);
  let hash = key.length;
  for (let i = Math.max(0, key.length - MOST_HASHED); i < key.length; i += 1)
    hash = Math.imul(hash ^ key.charCodeAt(i), FACTOR) ^ (hash >>> 15);
  return spread(hash);
}

function spread(word: number): number {
  const mixed = Math.imul(word, FACTOR);
  return mixed ^ (mixed >>> 16);
}
