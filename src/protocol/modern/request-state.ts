/**
 * The gateway's own `requestState`: a sealed note with which any node finds the call again that waits for a client's
 * input, at a legacy upstream that holds it open.
 *
 * AES-256-GCM. The principal and the original request are authenticated with it but not in it: a note that another
 * principal presents, or that stands on another request, does not open. All refusals of a note that is not authentic
 * look the same and cost the same decryption. A note names a round, so that the holder of the call can refuse one that
 * was used: this module bounds replay, it does not prevent it.
 *
 * An upstream's own `requestState` passes byte for byte and needs none of this: it goes back to the upstream that the
 * request names. It would have to be wrapped here only where the note must say more than the request does: which of
 * several replicas minted it, or that states of several upstreams travel in one.
 *
 * Text: `vs1.<key id>.<base64url of nonce, ciphertext, tag>`. Source: MCP specification 2026-07-28, "Multi Round-Trip
 * Requests › Server Requirements" 4 and 5; NIST SP 800-38D (random 96-bit nonces: at most 2^32 notes a key).
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../jsonrpc.js';

/** Where the waiting call is. */
export interface ParkedCall {
  readonly callId: string;
  /** The node of the gateway that holds the upstream's session. */
  readonly nodeId: string;
  readonly upstream: string;
  /** Counts the interim results of this call, from 1. */
  readonly round: number;
}

/** What a note is bound to. */
export interface StateBinding {
  /** The authenticated principal; a fixed text where the gateway runs without authentication. */
  readonly principal: string;
  /** `requestDigest` of the original request. */
  readonly request: string;
}

export type OpenedState =
  | { readonly ok: true; readonly call: ParkedCall }
  /** `expired` is said of authentic notes alone. */
  | { readonly ok: false; readonly reason: 'invalid' | 'expired' };

export interface StateKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The first key seals, all of them open: to rotate, put a new one first and drop the old one after the longest expiry. */
export type StateKeys = readonly [StateKey, ...StateKey[]];

const VERSION = 'vs1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Longest text that is looked at. The gateway's own are a tenth of it. */
const MAX_LENGTH = 4096;

const FORMAT = /^vs1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]+)$/;

/** Shortest secret, in bytes of UTF-8. */
export const MIN_SECRET_BYTES = 32;

/** A key from a configured secret, the same on every node that has it. The id is derived too and reveals nothing of it. */
export function deriveStateKey(secret: string): StateKey {
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) throw new RangeError('the secret is too short');
  const derive = (info: string, length: number): Buffer => Buffer.from(hkdfSync('sha256', secret, '', info, length));
  return {
    id: derive('viable request-state key id', 6).toString('base64url'),
    key: derive('viable request-state key', 32),
  };
}

/** A key that only this process has, from 38 random bytes. */
export function ephemeralStateKey(random: (bytes: number) => Buffer): StateKey {
  return { id: random(6).toString('base64url'), key: random(32) };
}

/** True for text that looks like a note of the gateway, authentic or not. */
export function isOwnState(text: string): boolean {
  return text.startsWith(`${VERSION}.`);
}

/**
 * Seals a note. `expiresAt` is in milliseconds of the clock that `openState` is asked with, and should be minutes away;
 * `random` must be a cryptographic source of that many bytes.
 */
export function sealState(
  keys: StateKeys,
  call: ParkedCall,
  binding: StateBinding,
  expiresAt: number,
  random: (bytes: number) => Buffer,
): string {
  const [{ id, key }] = keys;
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound(id, binding));
  const note = JSON.stringify([call.callId, call.nodeId, call.upstream, call.round, expiresAt]);
  const sealed = Buffer.concat([nonce, cipher.update(note, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${VERSION}.${id}.${sealed.toString('base64url')}`;
}

/** Opens a note that a client brought. `now` in milliseconds; a note is dead from `expiresAt` on. */
export function openState(keys: StateKeys, text: string, binding: StateBinding, now: number): OpenedState {
  const parts = text.length > MAX_LENGTH ? null : FORMAT.exec(text);
  if (parts === null) return INVALID;
  const [, id = '', body = ''] = parts;
  const sealed = Buffer.from(body, 'base64url');
  if (sealed.length <= NONCE_BYTES + TAG_BYTES || sealed.toString('base64url') !== body) return INVALID;
  const note = decrypt(keys, id, sealed, bound(id, binding));
  return note === undefined ? INVALID : readNote(note, now);
}

const INVALID: OpenedState = { ok: false, reason: 'invalid' };
const EXPIRED: OpenedState = { ok: false, reason: 'expired' };

/** An unknown key id fails in the decryption, under a key that sealed nothing with it, like a forged note. */
function decrypt(keys: StateKeys, id: string, sealed: Buffer, aad: Buffer): string | undefined {
  const { key } = keys.find((candidate) => candidate.id === id) ?? keys[0];
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(aad)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString();
  } catch {
    return undefined;
  }
}

/** Authentic text is our own, of this version; it is read with care all the same. */
function readNote(note: string, now: number): OpenedState {
  const [callId, nodeId, upstream, round, expiresAt] = JSON.parse(note) as readonly unknown[];
  if (typeof callId !== 'string' || typeof nodeId !== 'string' || typeof upstream !== 'string') return INVALID;
  if (typeof round !== 'number' || typeof expiresAt !== 'number') return INVALID;
  return now < expiresAt ? { ok: true, call: { callId, nodeId, upstream, round } } : EXPIRED;
}

function bound(id: string, { principal, request }: StateBinding): Buffer {
  return Buffer.from(JSON.stringify([VERSION, id, principal, request]));
}

/**
 * What makes a retry the same request: the method, its target and its arguments, whatever the order of their members.
 * `_meta`, `inputResponses` and `requestState` are no part of it. Linear in the size of the arguments.
 */
export function requestDigest(method: string, params: JsonObject | undefined): string {
  const { name, uri, arguments: args } = params ?? {};
  const salient = [method, name ?? null, uri ?? null, sorted(args ?? null)];
  return createHash('sha256').update(JSON.stringify(salient)).digest('base64url');
}

/** Objects as arrays of their members in the order of their names. The tag keeps them apart from arrays. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).sort();
  return { object: names.map((name) => [name, sorted(value[name])]) };
}
