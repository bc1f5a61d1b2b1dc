import assert from 'node:assert/strict';
import { Authenticator } from '#src/auth/authenticator.js';
import { JwtAuthenticator, OWN_CLAIMS } from '#src/auth/jwt-authenticator.js';
import { secretKeys } from '#src/auth/key-set.js';
import { hasPermission } from '#src/auth/principal.js';
import { Revocations } from '#src/auth/revocations.js';
import { Tickets } from '#src/auth/tickets.js';
import { VirtualClock } from '#src/kernel/index.js';

const HOUR = 3_600_000;
const OLD = { kid: 'old', secret: 'o'.repeat(32) };
const NEW = { kid: 'new', secret: 'n'.repeat(32) };

describe('auth/JwtAuthenticator', () => {
  let clock: VirtualClock;
  let jwt: JwtAuthenticator;
  beforeEach(() => {
    clock = new VirtualClock(1_700_000_000_000);
    jwt = new JwtAuthenticator({ secrets: [OLD], clock });
  });

  it('makes tokens with the claims of the seed, for an hour', async () => {
    const token = await jwt.generateToken('user123');
    const verdict = await jwt.verify(token);
    assert.ok(verdict.ok);
    const { claims, key, role } = verdict.principal;
    const { sub, iss, aud, iat, exp, permissions, jti } = claims;
    assert.deepEqual([sub, iss, aud, permissions], ['user123', 'autonomous-opponent', 'mcp-gateway', []]);
    assert.equal((exp as number) - (iat as number), 3_600);
    assert.equal(typeof jti, 'string');
    assert.deepEqual([key, role], ['sub:autonomous-opponent:user123', 'user']);
  });

  it('with role, permissions and an end of their own', async () => {
    const token = await jwt.generateToken('u', { role: 'admin', permissions: ['read', 'write'], exp: 7_200 });
    const verdict = await jwt.verify(token);
    assert.ok(verdict.ok);
    assert.equal(verdict.principal.expiresAt, clock.now() + 2 * HOUR);
    assert.ok(jwt.hasPermission(verdict.principal, 'write') && hasPermission(verdict.principal, 'read'));
    assert.ok(!jwt.hasPermission(verdict.principal, 'admin'));
  });

  it('takes no short secret, and says how to make one', () => {
    assert.throws(
      () => new JwtAuthenticator({ secrets: [{ kid: 'k', secret: 'x'.repeat(31) }] }),
      /32 bytes.*randomBytes/,
    );
  });

  it('refreshes: the same while fresh, a new one near the end, an error when invalid', async () => {
    const token = await jwt.generateToken('u', { role: 'premium', permissions: ['p'] });
    assert.deepEqual(await jwt.refreshToken(token), { ok: true, token, renewed: false });
    clock.advance(HOUR * 0.8);
    const renewed = await jwt.refreshToken(token);
    assert.ok(renewed.ok && renewed.renewed && renewed.token !== token);
    const verdict = await jwt.verify(renewed.token);
    assert.ok(verdict.ok);
    assert.deepEqual([verdict.principal.role, verdict.principal.permissions], ['premium', ['p']]);
    assert.equal(verdict.principal.expiresAt, clock.now() + HOUR);
    clock.advance(HOUR);
    assert.deepEqual(await jwt.refreshToken(token), { ok: false, error: 'invalid_token', fault: 'expired' });
    assert.deepEqual(await jwt.refreshToken('x'), { ok: false, error: 'invalid_token', fault: 'malformed' });
  });

  it('is never remembered past its end', async () => {
    const token = await jwt.generateToken('u', { exp: 2 });
    assert.ok((await jwt.verify(token)).ok);
    clock.advance(1_999);
    assert.ok((await jwt.verify(token)).ok);
    clock.advance(1);
    assert.deepEqual(await jwt.verify(token), { ok: false, fault: 'expired' });
  });

  it('rotates: the new secret signs, the old one verifies while it is there', async () => {
    const old = await jwt.generateToken('u');
    const both = new JwtAuthenticator({ secrets: [NEW, OLD], clock });
    assert.ok((await both.verify(old)).ok);
    const fresh = await both.generateToken('u');
    assert.deepEqual(await jwt.verify(fresh), { ok: false, fault: 'unknown_key' });
    const alone = new JwtAuthenticator({ secrets: [NEW], clock });
    assert.ok((await alone.verify(fresh)).ok);
    assert.deepEqual(await alone.verify(old), { ok: false, fault: 'unknown_key' });
  });

  describe('the cache', () => {
    async function authenticator(cacheTtl = 300_000): Promise<{ auth: Authenticator; revocations: Revocations }> {
      const keys = await secretKeys([OLD]);
      const rules = { issuer: 'autonomous-opponent', audiences: ['mcp-gateway'], ...OWN_CLAIMS };
      const revocations = new Revocations(clock);
      const issuers = new Map([[rules.issuer, { rules, keysFor: () => Promise.resolve(keys) }]]);
      return { auth: new Authenticator({ clock, revocations, issuers, cacheTtl }), revocations };
    }

    it('answers without waiting what was verified lately, for five minutes', async () => {
      const { auth } = await authenticator();
      const token = await jwt.generateToken('u');
      assert.equal(auth.recall(token), undefined);
      await auth.verify(token);
      assert.equal(auth.recall(token)?.subject, 'u');
      clock.advance(300_001);
      assert.equal(auth.recall(token), undefined);
      assert.deepEqual([auth.hits, auth.misses], [1, 1]);
    });

    it('stands for what a connection showed, for as long as the token is remembered and not longer', async () => {
      const { auth, revocations } = await authenticator();
      const show = async (sub: string, exp?: number) => {
        const token = await jwt.generateToken(sub, exp === undefined ? {} : { exp });
        assert.equal(auth.remember(`Bearer ${token}`, token), undefined, 'not verified yet');
        await auth.verify(token);
        const shown = auth.remember(`Bearer ${token}`, token);
        assert.ok(shown);
        assert.equal(shown.principal.subject, sub);
        assert.ok(auth.stands(shown));
        return shown;
      };
      const kept = await show('u');
      clock.advance(299_999);
      assert.ok(auth.stands(kept));
      clock.advance(1);
      assert.equal(auth.stands(kept), false, 'five minutes are over');
      const short = await show('short', 60);
      clock.advance(60_000);
      assert.equal(auth.stands(short), false, 'the token has ended');
      const revoked = await show('r');
      revocations.add({ key: 'sub:autonomous-opponent:r', before: clock.now(), until: clock.now() + HOUR });
      auth.forget();
      assert.equal(auth.stands(revoked), false, 'something was revoked');
      const other = await show('o');
      assert.equal((await authenticator()).auth.stands(other), false, 'it was configured anew');
    });

    it('loses to a revocation, also one that comes while a token is being verified', async () => {
      const { auth, revocations } = await authenticator();
      const token = await jwt.generateToken('u');
      const first = await auth.verify(token);
      assert.ok(first.ok);
      revocations.add({ credential: first.principal.credential!, until: clock.now() + HOUR });
      auth.forget();
      assert.deepEqual(await auth.verify(token), { ok: false, fault: 'revoked' });
      const other = await jwt.generateToken('v');
      const racing = auth.verify(other);
      revocations.add({ key: 'sub:autonomous-opponent:v', before: clock.now(), until: clock.now() + HOUR });
      auth.forget();
      await racing;
      assert.equal(auth.recall(other), undefined);
      clock.advance(1_000);
      assert.ok((await auth.verify(await jwt.generateToken('v'))).ok, 'what was issued later is good');
    });

    it('verifies one token once, however many ask', async () => {
      const { auth } = await authenticator();
      const token = await jwt.generateToken('u');
      const [one, two] = [auth.verify(token), auth.verify(token)];
      assert.equal((await one).ok && (await two).ok, true);
      assert.equal(auth.cached, 1);
    });
  });

  it('a ticket opens one door, within 30 seconds', () => {
    const tickets = new Tickets(clock);
    const principal = { subject: 'u' } as never;
    const [used, late] = [tickets.issue(principal), tickets.issue(principal)];
    assert.equal(tickets.redeem(used), principal);
    assert.equal(tickets.redeem(used), undefined);
    clock.advance(30_000);
    assert.equal(tickets.redeem(late), undefined);
    for (let index = 0; index < 12_000; index += 1) tickets.issue(principal);
    assert.equal(tickets.size, 10_000);
  });
});
