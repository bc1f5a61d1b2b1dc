/**
 * Lexical search over tools: BM25F over the words of their names, titles and descriptions.
 *
 * Deterministic: scores depend on the set of tools alone, ties go by name. A tool whose whole name is asked for comes
 * first, whatever the scores say. Source: Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond
 * (2009), section 3.5.
 */
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { splitAggregateName } from '../protocol/naming.js';

export interface IndexedTool {
  /** As clients call it. */
  readonly name: string;
  /** As the server listed it. */
  readonly item: JsonObject;
}

/** BM25's saturation of repeated words, and how much the length of a text counts. */
const K1 = 1.2;
const B = 0.75;
/** A word of the name counts as much as this many in the description. */
const NAME_WEIGHT = 4;
/** The beginning of a word in place of the whole one. */
const PREFIX_WEIGHT = 0.5;
const MIN_PREFIX = 3;
const MAX_EXPANSION = 64;
const MAX_QUERY = 1_024;
const MAX_QUERY_WORDS = 32;
const MAX_INDEXED = 4_096;

/** Runs of letters and digits; scripts that are written without spaces one character at a time. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}])+/gu;
const CAMEL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
/** The same for plain text, which most is: many times as fast. */
const ASCII = /^[\s!-~]*$/;
const ASCII_WORD = /[A-Za-z0-9]+/g;
const ASCII_CAMEL = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/;
const MARKS = /\p{M}+/gu;

/** The words of a text as they are compared: `createIssues` and `CREATE-issue` have the same two. */
export function words(text: string): string[] {
  const plain = ASCII.test(text);
  const runs = plain ? text.match(ASCII_WORD) : text.normalize('NFKD').replace(MARKS, '').match(WORD);
  const found: string[] = [];
  for (const run of runs ?? []) {
    const lower = run.toLowerCase();
    if (lower === run) found.push(singular(lower));
    else for (const word of run.split(plain ? ASCII_CAMEL : CAMEL)) found.push(singular(word.toLowerCase()));
  }
  return found;
}

/** English plurals, by ending alone: both sides of a comparison lose the same. */
function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 3 && word.endsWith('s') && !/[su]s$/.test(word)) return word.slice(0, -1);
  return word;
}

/** Words of titles and descriptions, by item: a list that has changed is indexed anew, its texts are not read again. */
const described = new WeakMap<JsonObject, readonly string[]>();

function wordsOfText(item: JsonObject): readonly string[] {
  const known = described.get(item);
  if (known) return known;
  const { title, description, annotations } = item;
  const shown = isJsonObject(annotations) ? annotations['title'] : undefined;
  const texts = [title, shown, description].filter((text) => typeof text === 'string');
  const found = words(texts.join('\n').slice(0, MAX_INDEXED));
  described.set(item, found);
  return found;
}

/** One tool that has a word: its place in the list, and how often in name and text. */
interface Posting {
  readonly tool: number;
  inName: number;
  inText: number;
}

export class ToolIndex {
  readonly #tools: readonly IndexedTool[];
  readonly #postings = new Map<string, Posting[]>();
  /** Sorted, for beginnings of words. */
  #vocabulary: readonly string[] = [];
  readonly #nameLengths: number[] = [];
  readonly #textLengths: number[] = [];
  #meanName = 1;
  #meanText = 1;
  /** How many of the tools are in the index. */
  #indexed = 0;
  /** Whole names in lower case → places. Also the server's own names, after its prefix. */
  readonly #whole = new Map<string, number[]>();

  constructor(tools: Iterable<IndexedTool>) {
    this.#tools = [...tools].sort((a, b) => compare(a.name, b.name));
  }

  get size(): number {
    return this.#tools.length;
  }

  /** Tools that are not indexed yet. */
  get pending(): number {
    return this.#tools.length - this.#indexed;
  }

  /** Indexes the next `count` tools: reading thousands at once would hold up everybody. */
  prepare(count: number): void {
    if (this.pending === 0) return;
    for (const end = Math.min(this.#indexed + count, this.#tools.length); this.#indexed < end; this.#indexed += 1) {
      this.#add(this.#indexed);
    }
    if (this.pending > 0) return;
    this.#vocabulary = [...this.#postings.keys()].sort();
    this.#meanName = mean(this.#nameLengths);
    this.#meanText = mean(this.#textLengths);
  }

  #add(at: number): void {
    const tool = this.#tools[at];
    if (!tool) return;
    const { name, item } = tool;
    const inName = words(name.slice(0, MAX_INDEXED));
    const inText = wordsOfText(item);
    for (const word of inName) this.#posting(word, at).inName += 1;
    for (const word of inText) this.#posting(word, at).inText += 1;
    this.#nameLengths.push(inName.length);
    this.#textLengths.push(inText.length);
    for (const whole of new Set([name, splitAggregateName(name)?.name ?? name])) {
      append(this.#whole, whole.toLowerCase(), at);
    }
  }

  /** Those that match, best first. Every tool, by name, for a query without a word. Indexes what is not indexed yet. */
  search(query: string): readonly IndexedTool[] {
    this.prepare(Infinity);
    const asked = [...new Set(words(query.slice(0, MAX_QUERY)))].slice(0, MAX_QUERY_WORDS);
    const scores = new Map<number, number>();
    for (const word of asked) this.#score(word, scores);
    const ranks = this.#wholeNames(query);
    for (const at of ranks.keys()) if (!scores.has(at)) scores.set(at, 0);
    if (asked.length === 0 && ranks.size === 0) return this.#tools;
    const order = (a: number, b: number): number =>
      (ranks.get(b) ?? 0) - (ranks.get(a) ?? 0) || (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || a - b;
    return [...scores.keys()].sort(order).flatMap((at) => this.#tools[at] ?? []);
  }

  #posting(word: string, tool: number): Posting {
    let list = this.#postings.get(word);
    if (!list) this.#postings.set(word, (list = []));
    const last = list.at(-1);
    if (last?.tool === tool) return last;
    const posting = { tool, inName: 0, inText: 0 };
    list.push(posting);
    return posting;
  }

  /** Adds what one word of the query is worth; of the words that begin with it each tool gets the best. */
  #score(word: string, scores: Map<number, number>): void {
    const best = new Map<number, number>();
    for (const { term, weight } of this.#expand(word)) {
      const list = this.#postings.get(term) ?? [];
      const idf = Math.log(1 + (this.#tools.length - list.length + 0.5) / (list.length + 0.5));
      for (const posting of list) {
        const value = weight * idf * this.#saturated(posting);
        if (value > (best.get(posting.tool) ?? 0)) best.set(posting.tool, value);
      }
    }
    for (const [tool, value] of best) scores.set(tool, (scores.get(tool) ?? 0) + value);
  }

  #saturated({ tool, inName, inText }: Posting): number {
    const name = inName / (1 - B + (B * (this.#nameLengths[tool] ?? 0)) / this.#meanName);
    const text = inText / (1 - B + (B * (this.#textLengths[tool] ?? 0)) / this.#meanText);
    const frequency = NAME_WEIGHT * name + text;
    return frequency / (K1 + frequency);
  }

  *#expand(word: string): Iterable<{ term: string; weight: number }> {
    yield { term: word, weight: 1 };
    if (word.length < MIN_PREFIX) return;
    let at = firstAfter(this.#vocabulary, word);
    for (const end = at + MAX_EXPANSION; at < end; at += 1) {
      const term = this.#vocabulary[at];
      if (term?.startsWith(word) !== true) return;
      yield { term, weight: (PREFIX_WEIGHT * word.length) / term.length };
    }
  }

  /** Tools whose whole name is the query: 3 as written, 2 but for case, 1 without the server's prefix. */
  #wholeNames(query: string): ReadonlyMap<number, number> {
    const ranks = new Map<number, number>();
    for (const text of new Set([query.trim(), query])) {
      for (const at of this.#whole.get(text.toLowerCase()) ?? []) {
        const name = this.#tools[at]?.name;
        ranks.set(at, name === query ? 3 : name?.toLowerCase() === text.toLowerCase() ? 2 : 1);
      }
    }
    return ranks;
  }
}

function mean(lengths: readonly number[]): number {
  const sum = lengths.reduce((total, length) => total + length, 0);
  return sum === 0 ? 1 : sum / lengths.length;
}

/** Place of the first word greater than `word`. */
function firstAfter(sorted: readonly string[], word: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= word) low = middle + 1;
    else high = middle;
  }
  return low;
}

function append(groups: Map<string, number[]>, key: string, value: number): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
