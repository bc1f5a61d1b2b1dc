import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  deriveStateKey,
  ephemeralStateKey,
  isOwnState,
  openState,
  requestDigest,
  sealState,
  type StateKeys,
} from '#src/protocol/modern/request-state.js';

const call = fc.record(
  {
    callId: fc.string({ maxLength: 40 }),
    nodeId: fc.string({ maxLength: 40, unit: 'grapheme' }),
    upstream: fc.string({ maxLength: 40 }),
    round: fc.nat(),
  },
  { noNullPrototype: true },
);
const binding = fc.record({ principal: fc.string({ unit: 'binary' }), request: fc.string() });
const keys = [deriveStateKey('a'.repeat(32)), deriveStateKey('b'.repeat(32))] as const satisfies StateKeys;
const NOW = 1_000_000;

describe('the gateway’s requestState, properties', () => {
  it('opens to what was sealed, until it expires', () => {
    fc.assert(
      fc.property(call, binding, fc.integer({ min: 1, max: 1e9 }), (c, b, ttl) => {
        const text = sealState(keys, c, b, NOW + ttl, randomBytes);
        assert.match(text, /^[A-Za-z0-9._-]+$/);
        assert.ok(isOwnState(text));
        assert.deepEqual(openState(keys, text, b, NOW), { ok: true, call: c });
        assert.deepEqual(openState(keys, text, b, NOW + ttl - 1), { ok: true, call: c });
        assert.deepEqual(openState(keys, text, b, NOW + ttl), { ok: false, reason: 'expired' });
      }),
    );
  });

  it('is refused wherever one character is changed, added or left out', () => {
    fc.assert(
      fc.property(call, binding, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (c, b, at, character) => {
        const text = sealState(keys, c, b, NOW + 1000, randomBytes);
        const index = at % text.length;
        const forged = [
          text.slice(0, index) + character + text.slice(index + 1),
          text.slice(0, index) + character + text.slice(index),
          text.slice(0, index) + text.slice(index + 1),
          text.slice(0, index),
          `${text}=`,
        ];
        for (const other of forged) {
          if (other === text) continue;
          assert.deepEqual(openState(keys, other, b, NOW), { ok: false, reason: 'invalid' });
        }
      }),
    );
  });

  it('is refused with each single bit of its bytes flipped', () => {
    const b = { principal: 'p', request: 'r' };
    const text = sealState(keys, { callId: 'c', nodeId: 'n', upstream: 'u', round: 1 }, b, NOW + 1, randomBytes);
    const head = text.slice(0, text.lastIndexOf('.') + 1);
    const bytes = Buffer.from(text.slice(head.length), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(openState(keys, head + forged.toString('base64url'), b, NOW).ok, false);
    }
  });

  it('is refused from another principal, on another request, and under other keys', () => {
    fc.assert(
      fc.property(call, binding, binding, (c, b, other) => {
        const text = sealState(keys, c, b, NOW + 1000, randomBytes);
        const invalid = { ok: false, reason: 'invalid' };
        fc.pre(b.principal !== other.principal && b.request !== other.request);
        assert.deepEqual(openState(keys, text, { ...b, principal: other.principal }, NOW), invalid);
        assert.deepEqual(openState(keys, text, { ...b, request: other.request }, NOW), invalid);
        assert.deepEqual(openState([ephemeralStateKey(randomBytes)], text, b, NOW), invalid);
        const [, id, body] = text.split('.');
        assert.deepEqual(openState([{ id: id!, key: randomBytes(32) }], `vs1.${id!}.${body!}`, b, NOW), invalid);
      }),
    );
  });

  it('survives rotation while the old key is kept, and not after', () => {
    fc.assert(
      fc.property(call, binding, (c, b) => {
        const [old] = keys;
        const next = deriveStateKey('c'.repeat(32));
        const text = sealState([old], c, b, NOW + 1000, randomBytes);
        assert.deepEqual(openState([next, old], text, b, NOW), { ok: true, call: c });
        assert.deepEqual(openState([next], text, b, NOW), { ok: false, reason: 'invalid' });
      }),
    );
  });

  it('is never opened from any other text, and nothing throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((s) => `vs1.${keys[0].id}.${s}`),
        ),
        binding,
        (text, b) => {
          assert.deepEqual(openState(keys, text, b, NOW), { ok: false, reason: 'invalid' });
        },
      ),
    );
    assert.equal(openState(keys, `vs1.a.${'A'.repeat(1e6)}`, { principal: '', request: '' }, 0).ok, false);
  });
});

describe('requestDigest, properties', () => {
  const reorder = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reorder);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, item]) => [name, reorder(item)]),
    );
  };
  const args = fc.dictionary(fc.string(), fc.jsonValue());

  it('is the same whatever the order of members, and with what a retry adds', () => {
    fc.assert(
      fc.property(args, (value) => {
        const digest = requestDigest('tools/call', { name: 't', arguments: value });
        const retry = { arguments: reorder(value), name: 't', requestState: 's', inputResponses: {}, _meta: { a: 1 } };
        assert.equal(requestDigest('tools/call', retry), digest);
      }),
    );
  });

  it('tells different requests apart', () => {
    fc.assert(
      fc.property(args, args, (a, b) => {
        fc.pre(JSON.stringify(reorder(a)) !== JSON.stringify(reorder(b)));
        const sameUpToOrder = (() => {
          try {
            assert.deepStrictEqual(a, b);
            return true;
          } catch {
            return false;
          }
        })();
        fc.pre(!sameUpToOrder);
        const digest = (value: unknown) => requestDigest('tools/call', { name: 't', arguments: value });
        assert.notEqual(digest(a), digest(b));
      }),
    );
    const distinct = [
      requestDigest('tools/call', { name: 'a' }),
      requestDigest('prompts/get', { name: 'a' }),
      requestDigest('resources/read', { uri: 'a' }),
      requestDigest('tools/call', { name: 'a', arguments: {} }),
      requestDigest('tools/call', { name: 'a', arguments: [] }),
      requestDigest('tools/call', { name: 'a', arguments: { object: [] } }),
    ];
    assert.equal(new Set(distinct).size, distinct.length);
  });
});

describe('state keys', () => {
  it('are the same from the same secret, others from another, and too short a secret is refused', () => {
    assert.deepEqual(deriveStateKey('a'.repeat(32)), keys[0]);
    assert.notEqual(keys[0].id, keys[1].id);
    assert.ok(!keys[0].key.equals(keys[1].key));
    assert.equal(keys[0].key.length, 32);
    assert.throws(() => deriveStateKey('a'.repeat(31)), RangeError);
  });
});
