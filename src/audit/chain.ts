/**
 * The hash chain of the audit log: each line names the hash of the line before, so a line that is changed, taken out or
 * put in breaks the chain at that place. Pure.
 *
 * A line is one JSON object, `{"seq":…,"at":…,…,"prev":"<hash>","hash":"<hash>"}`, and `hash` is the SHA-256 of the text
 * before it, or its HMAC where a key is configured: without one, whoever can write the file can write a whole new chain.
 * Lines cut off at the end are not seen by the chain itself; compare the head (`viable audit verify`) with one kept
 * elsewhere. Source: Schneier, Kelsey: Secure Audit Logs to Support Computer Forensics (1999), section 3.
 */
import { createHash, createHmac } from 'node:crypto';
import { type TimedEvent } from './trail.js';

/** Where a chain stands. */
export interface ChainHead {
  /** Number of the last line; 0 before the first. */
  readonly seq: number;
  /** Its hash, 64 hexadecimal digits. */
  readonly hash: string;
}

/** Before the first line. */
export const GENESIS: ChainHead = { seq: 0, hash: '0'.repeat(64) };

const HASH_MEMBER = ',"hash":"';
/** `,"hash":"` + 64 digits + `"}` */
const TAIL_LENGTH = HASH_MEMBER.length + 64 + 2;

/** One line for an event, without its line break, and where the chain stands after it. */
export function seal(
  head: ChainHead,
  { at, event }: TimedEvent,
  key: string | null,
): { line: string; head: ChainHead } {
  const seq = head.seq + 1;
  const body = JSON.stringify({ seq, at: new Date(at).toISOString(), ...event, prev: head.hash });
  const hash = digest(body, key);
  return { line: `${body.slice(0, -1)}${HASH_MEMBER}${hash}"}`, head: { seq, hash } };
}

export type LineCheck =
  { readonly ok: true; readonly head: ChainHead; readonly prev: string } | { readonly ok: false; readonly why: string };

/** Whether a line is whole and unchanged by itself. */
export function checkLine(line: string, key: string | null): LineCheck {
  const at = line.length - TAIL_LENGTH;
  if (at <= 0 || !line.startsWith(HASH_MEMBER, at) || !line.endsWith('"}'))
    return { ok: false, why: 'the line is incomplete' };
  const hash = line.slice(at + HASH_MEMBER.length, -2);
  const body = `${line.slice(0, at)}}`;
  if (digest(body, key) !== hash)
    return {
      ok: false,
      why:
        key === null
          ? 'the line was changed, or sealed with a key'
          : 'the line was changed, or sealed with another key',
    };
  const fields = readObject(body);
  const { seq, prev } = fields ?? {};
  if (typeof seq !== 'number' || typeof prev !== 'string') return { ok: false, why: 'the line has no seq and prev' };
  return { ok: true, head: { seq, hash }, prev };
}

/** Whether a checked line is the one that follows `head`. */
export function follows(head: ChainHead, line: Extract<LineCheck, { ok: true }>): string | undefined {
  if (line.head.seq !== head.seq + 1) return `line ${head.seq + 1} is missing: this is number ${line.head.seq}`;
  return line.prev === head.hash ? undefined : `it does not follow line ${head.seq} as that line is now`;
}

function digest(body: string, key: string | null): string {
  return (key === null ? createHash('sha256') : createHmac('sha256', key)).update(body).digest('hex');
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
