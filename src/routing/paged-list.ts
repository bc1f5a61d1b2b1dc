/** Sorted lists that are served in pages, each rendered once. Pure. */
import { type CursorKind, encodeCursor } from '../protocol/cursor.js';
import { type JsonObject } from '../protocol/jsonrpc.js';

/** Something that is shown in a list. */
export interface Entry {
  readonly key: string;
  readonly item: JsonObject;
  /** The member that holds the name, and what it is shown as; `undefined` when it is shown as the server wrote it. */
  readonly renamed: { readonly member: string; readonly to: string } | undefined;
}

/** Rendered texts by item, shared by all tables that show the item: `[as the server wrote it, renamed]`. */
const rendered = new WeakMap<JsonObject, { plain?: string; renamed?: string; to?: string }>();

function render(entry: Entry): string {
  let cache = rendered.get(entry.item);
  if (!cache) rendered.set(entry.item, (cache = {}));
  if (!entry.renamed) return (cache.plain ??= JSON.stringify(entry.item));
  if (cache.renamed === undefined || cache.to !== entry.renamed.to) {
    cache.renamed = JSON.stringify({ ...entry.item, [entry.renamed.member]: entry.renamed.to });
    cache.to = entry.renamed.to;
  }
  return cache.renamed;
}

/** A sorted list that is served in pages. */
export class PagedList {
  readonly #kind: CursorKind;
  readonly #pageSize: number;
  readonly #entries: readonly Entry[];
  readonly #pages = new Map<number, string>();

  constructor(kind: CursorKind, pageSize: number, entries: Entry[]) {
    this.#kind = kind;
    this.#pageSize = pageSize;
    this.#entries = entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Keys in the order of the list. */
  keys(): string[] {
    return this.#entries.map((entry) => entry.key);
  }

  /** True when both show the same items under the same names, item by item as their servers wrote them. */
  equals(other: PagedList): boolean {
    if (other.#entries.length !== this.#entries.length) return false;
    return this.#entries.every((entry, i) => {
      const twin = other.#entries[i] as Entry;
      return entry.key === twin.key && (entry.item === twin.item || render(entry) === render(twin));
    });
  }

  /** The result object's text for the page after `after` (the first page when it is `undefined`). */
  page(after: string | undefined): string {
    const start = after === undefined ? 0 : this.#firstAfter(after);
    const known = this.#pages.get(start);
    if (known !== undefined) return known;
    const text = this.#renderPage(start);
    // Only starts at page boundaries recur; a stray cursor must not fill the memory.
    if (start % this.#pageSize === 0) this.#pages.set(start, text);
    return text;
  }

  #renderPage(start: number): string {
    const shown = this.#entries.slice(start, start + this.#pageSize);
    const items = shown.map(render).join(',');
    const last = shown.at(-1);
    const more = start + this.#pageSize < this.#entries.length && last;
    const next = more ? `,"nextCursor":${JSON.stringify(encodeCursor({ kind: this.#kind, after: last.key }))}` : '';
    return `{"${this.#kind}":[${items}]${next}}`;
  }

  /** Index of the first key greater than `after`. */
  #firstAfter(after: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).key <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
