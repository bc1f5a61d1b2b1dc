/**
 * Messages as no client or server should send them: whole ones of the protocol, taken apart and put together wrongly. The
 * same seed gives the same messages.
 */

/** Whole numbers below `n`. Mulberry32. */
export type Dice = (n: number) => number;

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

type Json = Record<string, unknown>;

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What a peer may say. None ends a session by itself, and none waits for long. */
const WHOLE: readonly (() => Json)[] = [
  () => ({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  () => ({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: 'x' } }),
  () => ({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'good__echo', arguments: { text: 'x' } } }),
  () => ({ jsonrpc: '2.0', id: 4, method: 'resources/read', params: { uri: 'fixture://good/text' } }),
  () => ({ jsonrpc: '2.0', id: 5, method: 'prompts/get', params: { name: 'good__greet', arguments: { name: 'x' } } }),
  () => ({
    jsonrpc: '2.0',
    id: 6,
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'good__greet' }, argument: { name: 'tone', value: 'f' } },
  }),
  () => ({ jsonrpc: '2.0', id: 7, method: 'logging/setLevel', params: { level: 'info' } }),
  () => ({ jsonrpc: '2.0', id: 8, method: 'resources/subscribe', params: { uri: 'fixture://good/text' } }),
  () => ({ jsonrpc: '2.0', id: 9, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } }),
  () => ({ jsonrpc: '2.0', id: 10, method: 'server/discover', params: { _meta: META } }),
  // What the gateway would pass on, were it not refused.
  () => ({ jsonrpc: '2.0', id: 13, method: 'tools/call', params: { name: 'good__echo', arguments: {}, _meta: null } }),
  () => ({ jsonrpc: '2.0', id: 14, method: 'resources/read', params: { uri: 'fixture://good/text', _meta: [META] } }),
  () => ({ jsonrpc: '2.0', id: 15, method: 'tools/call', params: ['good__echo', { text: 'x' }] }),
  () => ({ jsonrpc: '2.0', method: 'notifications/roots/list_changed', params: { _meta: 'x' } }),
  () => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } }),
  () => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }),
  () => ({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }),
  () => ({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
  () => ({ jsonrpc: '2.0', id: 11, result: { content: [], tools: [{ name: 'x' }] } }),
  () => ({ jsonrpc: '2.0', id: 12, error: { code: -32603, message: 'x' } }),
];

const KEYS = [
  '__proto__',
  'constructor',
  'jsonrpc',
  'id',
  'ID',
  'method',
  'params',
  'result',
  'error',
  '_meta',
  'name',
  '',
];
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '\u0000\u001b[31m',
  '\ud800',
  '‮',
  'good__echo',
  [],
  {},
  [[[[]]]],
  { toString: 1, __proto__: { polluted: true } },
  'x'.repeat(2_000),
];

/** One message, seldom a good one. */
export function fuzzMessage(roll: Dice): string {
  return spoilt(pick(WHOLE, roll)(), roll);
}

/** A request of 2026-07-28 with its headers, seldom a good one: what they say it was before it was spoilt. */
export function fuzzModern(roll: Dice): { readonly headers: Readonly<Record<string, string>>; readonly text: string } {
  const message = pick(WHOLE, roll)();
  const { method, params } = message;
  const { name, uri } = (params ?? {}) as Json;
  if (!Array.isArray(params)) message['params'] = { ...(params as Json | undefined), _meta: structuredClone(META) };
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    ...(typeof method === 'string' && { 'mcp-method': method }),
    ...(typeof (name ?? uri) === 'string' && { 'mcp-name': String(name ?? uri) }),
  };
  return { headers, text: spoilt(message, roll) };
}

function spoilt(message: Json, roll: Dice): string {
  for (let changes = roll(4); changes > 0; changes -= 1) change(message, roll);
  return damage(roll(30) === 0 ? JSON.stringify([message, pick(WHOLE, roll)()]) : JSON.stringify(message), roll);
}

function pick<T>(from: readonly T[], roll: Dice): T {
  return from[roll(from.length)] as T;
}

/** Somewhere in the message: a member less, more, or another. */
function change(of: Json, roll: Dice): void {
  const keys = Object.keys(of);
  const key = pick(keys.length === 0 ? KEYS : keys, roll);
  const inner = Object.hasOwn(of, key) ? of[key] : undefined;
  if (roll(2) === 0 && typeof inner === 'object' && inner !== null && !Array.isArray(inner))
    return change(inner as Json, roll);
  switch (roll(3)) {
    case 0:
      Reflect.deleteProperty(of, key);
      return;
    case 1:
      Object.defineProperty(of, pick(KEYS, roll), {
        value: structuredClone(pick(VALUES, roll)),
        enumerable: true,
        configurable: true,
      });
      return;
    default:
      Object.defineProperty(of, key, {
        value: structuredClone(pick(VALUES, roll)),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
}

/** The text, now and then no JSON any more. */
function damage(text: string, roll: Dice): string {
  const at = roll(text.length + 1);
  switch (roll(24)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + pick(['"', '{', ']', ',', '\\', '\u0000', '\u2028', '﻿'], roll) + text.slice(at);
    case 2:
      return text.replace('{', `{"${pick(KEYS, roll)}":1,`); // a member twice
    case 3:
      return `${'['.repeat(2_000)}${text}${']'.repeat(roll(2) * 2_000)}`;
    case 4:
      return text.replace(/"id":\d+/, `"id":${'9'.repeat(roll(400))}`);
    default:
      return text;
  }
}
