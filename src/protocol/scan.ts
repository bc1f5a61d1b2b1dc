/**
 * One linear look at the text of a frame before `JSON.parse` sees it.
 *
 * It finds what a parsed value can no longer tell, or not in time: nesting that is too deep (`JSON.parse` takes millions of
 * levels and blocks for seconds, `JSON.stringify` overflows the stack at ten thousand), values without number, and member
 * names that stand twice, which two parsers may read differently. Watched are the envelope and the first level of `params`: what the gateway routes
 * and authorises by.
 *
 * Names count as the same when they differ only in case, because some parsers (Go's encoding/json) match members so
 * and would act on a `Name` beside the authorised `name`. For the same reason an envelope member that is `id`,
 * `method` … in other case is a fault by itself. Escapes (`\u0069d`) hide nothing.
 *
 * The scan assumes valid JSON; on anything else its findings mean nothing, and `JSON.parse` refuses the text anyway.
 * Linear in the text for every input. Pure.
 */

export interface NameFault {
  /** What is wrong with the first faulty name of the message. */
  readonly detail: string;
  /** The message's id itself stands twice, so it must not be answered by it. */
  readonly idInDoubt: boolean;
}

export interface ScanResult {
  readonly tooDeep: boolean;
  /** `too_many`: more than `maxValues`, the rest was not looked at. `many`: more than `fewValues`. */
  readonly values: 'few' | 'many' | 'too_many';
  /** Messages with faulty member names, by index in the batch (0 when there is none). */
  readonly faults: ReadonlyMap<number, NameFault> | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Bits of the envelope members in the "seen" mask. */
const ID_BIT = 2;
const PARAMS_BIT = 8;
const ENVELOPE_BITS: ReadonlyMap<string, number> = new Map([
  ['jsonrpc', 1],
  ['id', ID_BIT],
  ['method', 4],
  ['params', PARAMS_BIT],
  ['result', 16],
  ['error', 32],
]);
/** Added to the bit of a member that is written in other case. */
const MISSPELT = 64;

/** Past so many members, names are compared through a set instead of pairwise hashes. */
const FEW_MEMBERS = 16;

const CLEAN: ScanResult = { tooDeep: false, values: 'few', faults: undefined };
const CLEAN_AND_MANY: ScanResult = { tooDeep: false, values: 'many', faults: undefined };
const TOO_DEEP: ScanResult = { tooDeep: true, values: 'few', faults: undefined };
const TOO_MANY: ScanResult = { tooDeep: false, values: 'too_many', faults: undefined };

/**
 * Scans the text of one frame. `maxDepth` counts arrays and objects: `[{}]` has depth 2. `maxValues` counts members, elements,
 * arrays and objects; `many` are more than `fewValues`.
 */
export function scanFrame(text: string, maxDepth: number, maxValues = Infinity, fewValues = Infinity): ScanResult {
  const names = new MemberNames(text);
  let values = 0;
  let depth = 0;
  let envelope = 1; // the depth at which members of a message stand: 2 in a batch
  let nameNext = false; // the next string is a watched member name
  let inParams = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      if (!nameNext) {
        i = stringEnd(text, i + 1);
        continue;
      }
      nameNext = false;
      i = inParams && depth === envelope + 1 ? names.param(i + 1) : names.member(i + 1);
    } else if (c < COMMA || (c > COMMA && c <= COLON)) {
      continue; // white space, digits, colon: the most frequent outside strings
    } else if (c === COMMA) {
      if (++values > maxValues) return TOO_MANY;
      if (depth === envelope) nameNext = true;
      else if (inParams) nameNext = depth === envelope + 1;
      else if (depth === 1) names.nextItem();
    } else if (c === OPEN_BRACE) {
      if (++depth > maxDepth) return TOO_DEEP;
      values++;
      if (depth === envelope) {
        names.openMessage();
        nameNext = true;
      } else if (depth === envelope + 1 && names.atParams) {
        names.openParams();
        inParams = nameNext = true;
      } else nameNext = false;
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (--depth === envelope && inParams) {
        inParams = false;
        names.closeParams();
      }
      nameNext = false;
    } else if (c === OPEN_BRACKET) {
      if (++depth > maxDepth) return TOO_DEEP;
      values++;
      if (depth === 1) envelope = 2;
      nameNext = false;
    }
  }
  const many = values > fewValues;
  if (names.faults === undefined) return many ? CLEAN_AND_MANY : CLEAN;
  return { tooDeep: false, values: many ? 'many' : 'few', faults: names.faults };
}

/** Whether more than `max` member names differ. For texts that may have so many; assumes valid JSON. */
export function hasMoreNames(text: string, max: number): boolean {
  const names = new Set<string>();
  for (let from = text.indexOf('"'); from >= 0;) {
    const end = stringEnd(text, from + 1);
    let next = end + 1;
    while (isSpace(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === COLON && names.add(text.slice(from + 1, end)).size > max) return true;
    from = text.indexOf('"', next);
  }
  return false;
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

/**
 * Index of the quote that closes the string whose first character is at `from`; the text's length if none does. The
 * engine's own search beats a loop over characters for strings of any length.
 */
function stringEnd(text: string, from: number): number {
  for (let i = from; ;) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return text.length;
    let first = quote;
    while (first > i && text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((quote - first) % 2 === 0) return quote;
    i = quote + 1;
  }
}

/** The member names of the message being scanned. Methods that read a name return the index of its closing quote. */
class MemberNames {
  faults: Map<number, NameFault> | undefined;
  /** The last envelope member read is `params`. */
  atParams = false;
  private item = 0;
  private seen = 0;
  /** Start and end of each name in `params`. */
  private spans: number[] | undefined;
  /** A hash of each of the first names in `params`: equal for names that differ in ASCII case alone. */
  private hashes: number[] | undefined;
  /** Two names in `params` may be the same: look closely. */
  private suspect = false;

  constructor(private readonly text: string) {}

  nextItem(): void {
    this.item++;
  }

  openMessage(): void {
    this.seen = 0;
    this.atParams = false;
  }

  openParams(): void {
    this.spans = [];
    this.hashes = [];
    this.suspect = false;
  }

  /** Reads a member name of the envelope. */
  member(from: number): number {
    const end = stringEnd(this.text, from);
    const bit = knownMember(this.text, from, end) || this.unusualMember(from, end);
    this.atParams = bit === PARAMS_BIT;
    if ((bit & MISSPELT) !== 0) {
      this.fault('an envelope member is written in other case (names are case-sensitive)', bit);
    } else if ((this.seen & bit) !== 0) {
      this.fault('an envelope member stands twice', bit);
    }
    this.seen |= bit;
    return end;
  }

  /** Reads a member name of `params`. */
  param(from: number): number {
    let hash = 0;
    let i = from;
    for (; i < this.text.length; i++) {
      const c = this.text.charCodeAt(i);
      if (c === QUOTE) break;
      if (c === BACKSLASH) i++;
      if (c === BACKSLASH || c > 0x7e) this.suspect = true;
      hash = (Math.imul(hash, 31) + (c | 0x20)) | 0;
    }
    const { spans, hashes } = this;
    if (spans === undefined || hashes === undefined) return i;
    spans.push(from, i);
    if (hashes.length >= FEW_MEMBERS || hashes.includes(hash)) this.suspect = true;
    else hashes.push(hash);
    return i;
  }

  closeParams(): void {
    const spans = this.spans;
    if (!this.suspect || spans === undefined) return;
    const seen = new Set<string>();
    for (let k = 0; k + 1 < spans.length; k += 2) {
      const name = folded(this.text.slice(spans[k], spans[k + 1]));
      if (seen.has(name)) {
        this.fault('a member of params stands twice', 0);
        return;
      }
      seen.add(name);
    }
  }

  private unusualMember(from: number, end: number): number {
    const raw = this.text.slice(from, end);
    const name = decoded(raw);
    const exact = ENVELOPE_BITS.get(name);
    if (exact !== undefined) return exact;
    const similar = ENVELOPE_BITS.get(folded(raw));
    return similar === undefined ? 0 : MISSPELT | similar;
  }

  private fault(detail: string, bit: number): void {
    this.faults ??= new Map();
    const first = this.faults.get(this.item);
    const idInDoubt = first?.idInDoubt === true || (bit & ID_BIT) !== 0;
    this.faults.set(this.item, { detail: first?.detail ?? detail, idInDoubt });
  }
}

/** Bit of an envelope member written plainly, 0 otherwise. No substring is made for the names of every message. */
function knownMember(text: string, from: number, end: number): number {
  switch (end - from) {
    case 2:
      return spells(text, from, 'id') ? ID_BIT : 0;
    case 5:
      return spells(text, from, 'error') ? 32 : 0;
    case 6:
      if (spells(text, from, 'method')) return 4;
      if (spells(text, from, 'params')) return PARAMS_BIT;
      return spells(text, from, 'result') ? 16 : 0;
    case 7:
      return spells(text, from, 'jsonrpc') ? 1 : 0;
    default:
      return 0;
  }
}

/** `startsWith`, which is a call into the engine, for names of a few characters. */
function spells(text: string, from: number, name: string): boolean {
  for (let k = 0; k < name.length; k++) {
    if (text.charCodeAt(from + k) !== name.charCodeAt(k)) return false;
  }
  return true;
}

function decoded(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    const value: unknown = JSON.parse(`"${raw}"`);
    return typeof value === 'string' ? value : raw;
  } catch {
    return raw; // not JSON: JSON.parse of the whole text is going to say so
  }
}

/** A name without its case, Unicode's single-letter variants included (`ſ` is `s`, the Kelvin sign is `k`). */
function folded(raw: string): string {
  return PLAIN.test(raw) ? raw.toLowerCase() : decoded(raw).toUpperCase().toLowerCase();
}

const PLAIN = /^[ !#-[\]-~]*$/;
