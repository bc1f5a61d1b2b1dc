import assert from 'node:assert/strict';
import { type ClientMessage } from '#src/actors/client-message.js';
import { type DrainReply } from '#src/actors/drain/messages.js';
import { CATALOGUE, DRAIN, PARTIAL_DRAINS, upstreamLifecycle } from '#src/actors/names.js';
import { admit } from '#src/actors/admission.js';
import { MAY_SEND_MS } from '#src/actors/http-sockets.js';
import { tooLate } from '#src/actors/newcomers.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { parseFrame } from '#src/protocol/parse.js';
import { FakeRef } from '../../support/actors/world.js';
import { DrainWorld, Guest, subject } from '../../support/actors/drain-world.js';

const INTERVAL = 1_000;
const TIMEOUT = 3_500;

describe('drain', () => {
  let d: DrainWorld;
  let random = 0;

  async function boot(draining: object = {}): Promise<void> {
    const block = { defaultTimeout: TIMEOUT, notificationInterval: INTERVAL, ...draining };
    d = await new DrainWorld(block, () => (random = (random + 0.37) % 1)).boot();
  }

  afterEach(() => d.world.system.shutdown());

  function refusal(reply: DrainReply): string {
    assert.ok('refused' in reply, JSON.stringify(reply));
    return reply.refused.code;
  }

  describe('of the gateway', () => {
    it('completes at once when nobody is there and nothing is in flight', async () => {
      await boot();
      await d.begin();
      await d.world.advance(10);
      assert.deepEqual(d.outcomes, ['completed']);
      assert.equal(d.world.plane.admission.state, 'draining');
      assert.deepEqual(d.steps('gateway'), ['draining', 'closing:completed', 'stopped:completed']);
    });

    it('waits for what is in flight', async () => {
      await boot();
      d.world.plane.counters.inFlight = 1;
      await d.begin();
      await d.world.advance(2_000, 50);
      assert.deepEqual(d.outcomes, []);
      d.world.plane.counters.inFlight = 0;
      await d.world.advance(60, 10);
      assert.deepEqual(d.outcomes, ['completed']);
      await d.world.advance(TIMEOUT, 500);
      assert.deepEqual(d.outcomes, ['completed']);
    });

    it('is a lame duck first where it is asked to: not ready, and open', async () => {
      await boot({ lameDuck: 700 });
      const [guest] = d.guests(1, 1) as [Guest];
      const begun = await d.begin();
      assert.ok('state' in begun);
      assert.equal(begun.state, 'lame_duck');
      assert.equal(begun.deadlineAt - begun.startedAt, 700 + TIMEOUT);
      await d.world.advance(699, 233);
      assert.equal(d.world.plane.admission.state, 'lame_duck');
      assert.equal(guest.notices.length, 0);
      await d.world.advance(1);
      assert.equal(d.world.plane.admission.state, 'draining');
      assert.deepEqual(
        guest.notices.map(({ notice }) => notice.remaining),
        [TIMEOUT],
      );
      guest.inFlight = 0;
      await d.world.advance(MAY_SEND_MS + 100, 10);
      assert.deepEqual(d.steps('gateway'), ['lame_duck', 'draining', 'closing:completed', 'stopped:completed']);
    });

    it('is over when its time is, with work left', async () => {
      await boot();
      const [guest] = d.guests(1, 2) as [Guest];
      await d.begin({ timeoutMs: 200 });
      assert.deepEqual(d.world.plane.admission, { state: 'draining', deadlineAt: d.world.clock.now() + 200 });
      await d.world.advance(199, 50);
      assert.deepEqual(d.outcomes, []);
      assert.equal(guest.closedAt, null);
      await d.world.advance(20, 10);
      assert.deepEqual(d.outcomes, ['timed_out']);
      assert.equal(guest.closes, 1);
    });

    it('does not wait where draining is switched off', async () => {
      await boot({ enabled: false });
      d.world.plane.counters.inFlight = 2;
      await d.begin({ timeoutMs: 200, graceMs: 200 });
      await d.world.advance(10);
      assert.deepEqual(d.outcomes, ['timed_out']);
    });

    it('tells the clients every interval what really remains, each another time to come back', async () => {
      await boot();
      const guests = d.guests(2, 1);
      await d.begin();
      await d.world.advance(TIMEOUT + 20, 50);
      for (const { notices } of guests) {
        assert.deepEqual(
          notices.map(({ notice }) => notice.remaining),
          [3_500, 2_500, 1_500, 500],
        );
      }
      for (const [i, one] of (guests[0]?.notices ?? []).entries())
        assert.notEqual(one.notice.reconnect_after, guests[1]?.notices[i]?.notice.reconnect_after);
      assert.deepEqual(d.outcomes, ['timed_out']);
    });

    it('tells streams of the modern era, nobody twice', async () => {
      await boot();
      const [guest] = d.guests(1, 1) as [Guest];
      const stream = new FakeRef<ClientMessage>();
      d.world.plane.listeners.add(stream).add(guest.ref);
      await d.begin();
      assert.equal(guest.notices.length, 1);
      assert.deepEqual(
        stream.messages.map(({ type }) => type),
        ['client/shutdown-pending'],
      );
    });

    it('spreads the return of many clients over the time that their successor needs for them', async () => {
      await boot({ reconnectRate: 10 });
      const guests = d.guests(50, 1);
      await d.begin();
      const after = guests.map(({ notices }) => notices[0]?.notice.reconnect_after ?? -1);
      assert.ok(after.every((ms) => ms >= 0 && ms <= 5_000));
      assert.ok(after.filter((ms) => ms > 2_500).length > 15 && after.filter((ms) => ms < 2_500).length > 15);
    });

    it('closes idle clients first, those first that are quiet longest, at the pace', async () => {
      await boot({ closeRate: 20, defaultTimeout: 60_000 });
      const guests = d.guests(40);
      guests.forEach((guest, i) => (guest.lastSeenAt = 1_000 - i));
      const [busy] = guests as [Guest];
      busy.inFlight = 1;
      await d.begin();
      const begun = d.world.clock.now();
      await d.world.advance(1_000, 50);
      const closed = guests.filter(({ closedAt }) => closedAt !== null);
      assert.ok(closed.length >= 19 && closed.length <= 21, String(closed.length));
      assert.deepEqual(closed, guests.slice(-closed.length));
      await d.world.advance(1_000, 50);
      assert.equal(busy.closes, 0);
      busy.inFlight = 0;
      await d.world.advance(MAY_SEND_MS + 100, 10);
      assert.ok((busy.closedAt ?? 0) > begun + 1_900);
      assert.deepEqual(d.outcomes, ['completed']);
    });

    it('closes nobody who has just been heard of before time is short', async () => {
      await boot();
      const [talker, quiet] = d.guests(2) as [Guest, Guest];
      talker.lastSeenAt = d.world.clock.now();
      await d.begin();
      for (let passed = 0; passed < TIMEOUT * 0.7; passed += 100) {
        talker.lastSeenAt = d.world.clock.now();
        await d.world.advance(100, 50);
      }
      assert.deepEqual([talker.closes, quiet.closes], [0, 1]);
      talker.lastSeenAt = d.world.clock.now();
      await d.world.advance(TIMEOUT * 0.1, 50);
      assert.equal(talker.closes, 1);
      assert.deepEqual(d.outcomes, ['completed']);
    });

    it('gives its last moments to what runs: a quarter of the time at most, and none when it is called off', async () => {
      await boot({ quietPeriod: 10_000 });
      d.guests(1, 1);
      const { plane, clock } = d.world;
      const deadline = clock.now() + TIMEOUT;
      await d.begin();
      await d.world.advance(TIMEOUT * 0.75 - 1, 100);
      assert.equal(plane.quietUntil, null);
      await d.world.advance(1);
      assert.equal(plane.quietUntil, deadline);
      const gate = new UpstreamGate('good', 10, 1_000);
      const refusal = admit(plane, gate, clock);
      assert.deepEqual(refusal?.data, { reason: 'draining', retryAfter: 1 });
      const late = tooLate(plane.quietUntil, clock, parseFrame('{"jsonrpc":"2.0","id":7,"method":"tools/list"}'));
      assert.deepEqual(late, {
        id: 7,
        detail: 'it takes no more requests',
        data: { retryAfter: 1 },
        headers: { 'retry-after': '1' },
      });
      const answer = '{"jsonrpc":"2.0","id":7,"result":{}}';
      assert.equal(
        tooLate(plane.quietUntil, clock, parseFrame(answer)),
        undefined,
        'what calls in flight wait for is taken',
      );
      await d.cancel();
      assert.equal(plane.quietUntil, null);
      assert.equal(admit(plane, gate, clock)?.data, undefined);
    });

    it('joins a second request to the first, whose deadline holds', async () => {
      await boot();
      d.world.plane.counters.inFlight = 1;
      const first = await d.begin({ reason: 'first', timeoutMs: 1_000 });
      assert.deepEqual(await d.begin({ reason: 'second', timeoutMs: 9_000 }), first);
    });

    for (const when of ['running', 'lame_duck', 'draining'] as const) {
      it(`can be forced while ${when}, once`, async () => {
        await boot({ lameDuck: when === 'lame_duck' ? 500 : 0 });
        const [guest] = d.guests(1, 1) as [Guest];
        if (when !== 'running') await d.begin();
        assert.equal(d.world.plane.admission.state, when);
        await d.tell({ type: 'drain/force', reason: 'now' });
        await d.tell({ type: 'drain/force', reason: 'now' });
        await d.tell({ type: 'drain/begin', reason: 'late' });
        await d.world.advance(2_000, 10);
        assert.deepEqual(d.outcomes, ['forced']);
        assert.equal(guest.closes, 1);
        assert.equal(d.world.plane.admission.state, 'draining');
      });
    }

    it('can be called off until it closes: it serves again, and can drain again', async () => {
      await boot();
      const [guest] = d.guests(1, 1) as [Guest];
      assert.equal(refusal(await d.cancel()), 'not_draining');
      await d.begin();
      await d.cancel();
      assert.deepEqual(d.outcomes, ['cancelled']);
      assert.equal(d.world.plane.admission.state, 'running');
      await d.world.advance(2 * TIMEOUT, 500);
      assert.equal(guest.closedAt, null);
      assert.equal(guest.notices.length, 1);
      await d.begin({ timeoutMs: 0 });
      assert.equal(refusal(await d.cancel()), 'too_late');
      await d.world.advance(20, 10);
      assert.deepEqual(d.outcomes, ['cancelled', 'timed_out']);
    });

    it('goes on after a crash in the middle: same deadline, notices in the same rhythm', async () => {
      await boot();
      const [guest] = d.guests(1, 1) as [Guest];
      await d.begin();
      await d.world.advance(1_400, 100);
      assert.ok(d.world.system.kill(DRAIN.path));
      await d.world.settle();
      await d.world.advance(2_200, 50);
      assert.deepEqual(
        guest.notices.map(({ notice }) => notice.remaining),
        [3_500, 2_500, 1_500, 500],
      );
      assert.deepEqual(d.outcomes, ['timed_out']);
      assert.equal(guest.closes, 1);
    });

    it('that makes no progress for half its time is pain, until it does', async () => {
      await boot({ defaultTimeout: 4_000 });
      const [one, other] = d.guests(2, 1) as [Guest, Guest];
      await d.begin();
      await d.world.advance(1_950, 50);
      assert.deepEqual(d.readings, []);
      await d.world.advance(100, 50);
      assert.deepEqual(
        d.readings.map(({ source, index, value }) => [source, index, value]),
        [['drain:gateway', 'drain_stalled', 1]],
      );
      assert.equal(d.board.snapshot('gateway')?.stalled, true);
      one.inFlight = 0;
      await d.world.advance(100, 50);
      assert.deepEqual(
        d.readings.map(({ value }) => value),
        [1, 0],
      );
      other.inFlight = 0;
      await d.world.advance(MAY_SEND_MS + 100, 10);
      assert.deepEqual(d.outcomes, ['completed']);
      assert.equal(d.readings.length, 2);
    });
  });

  describe('of a part', () => {
    it('refuses what does not exist, with what does', async () => {
      await boot();
      d.world.plane.gates.set('github', new UpstreamGate('github', 10, 1_000));
      const reply = await d.begin({ target: { kind: 'upstream', name: 'githup' } });
      assert.ok('refused' in reply);
      assert.deepEqual(reply.refused, {
        code: 'unknown_target',
        message: 'There is no upstream "githup".',
        asked: 'githup',
        names: ['github'],
      });
      assert.equal(refusal(await d.begin({ target: { kind: 'session', id: 'x' } })), 'unknown_target');
      assert.equal(refusal(await d.begin({ target: { kind: 'listener', id: 'x' } })), 'unknown_target');
    });

    it('a session: told, served until it is idle, closed', async () => {
      await boot();
      const [one, other] = d.guests(2, 1) as [Guest, Guest];
      await d.begin({ target: { kind: 'session', id: one.id } });
      await d.world.advance(500, 50);
      assert.equal(one.notices.length, 1);
      assert.match(one.notices[0]?.notice.message ?? '', /This session/);
      assert.equal(one.closedAt, null);
      one.inFlight = 0;
      await d.world.advance(MAY_SEND_MS + 100, 10);
      assert.equal(one.closes, 1);
      assert.deepEqual([other.notices, other.closedAt], [[], null]);
      assert.deepEqual(d.steps(`session:${one.id}`), ['draining', 'closing:completed', 'stopped:completed']);
      assert.deepEqual(d.outcomes, []);
      assert.equal(d.world.plane.admission.state, 'running');
    });

    it('a session that was just answered is left alone for a moment: its next request may be on the way', async () => {
      await boot();
      const [one] = d.guests(1, 1) as [Guest];
      await d.begin({ target: { kind: 'session', id: one.id } });
      await d.world.advance(1_000, 50);
      for (const inFlight of [0, 1, 0]) {
        one.inFlight = inFlight;
        await d.world.advance(MAY_SEND_MS - 100, 10);
        assert.equal(one.closes, 0);
      }
      await d.world.advance(200, 10);
      assert.equal(one.closes, 1);
      assert.equal(d.board.snapshot(`session:${one.id}`)?.outcome, 'completed');
    });

    it('gives its last moments to what runs, as that of the gateway does, and touches nobody else', async () => {
      await boot({ quietPeriod: 10_000 });
      const [one] = d.guests(1, 1) as [Guest];
      const alice = new Guest(d.world, 'a', subject('alice'));
      alice.inFlight = 1;
      d.world.plane.doors.set('http', { open: true, server: null });
      const targets = [
        { target: { kind: 'session', id: one.id }, quiet: () => one.quietUntil, others: [alice] },
        { target: { kind: 'principal', subject: 'alice' }, quiet: () => alice.quietUntil, others: [one] },
        { target: { kind: 'listener', id: 'http' }, quiet: () => d.sockets.quietUntil, others: [] },
      ] as const;
      for (const { target, quiet, others } of targets) {
        const deadline = d.world.clock.now() + TIMEOUT;
        await d.begin({ target });
        await d.world.advance(TIMEOUT * 0.75 - 1, 100);
        assert.equal(quiet(), null);
        await d.world.advance(1);
        assert.equal(quiet(), deadline);
        for (const other of others) assert.equal(other.quietUntil, null);
        assert.equal(d.world.plane.quietUntil, null);
        await d.cancel(target);
        assert.equal(quiet(), null);
      }
      assert.deepEqual([one.closes, alice.closes], [0, 0]);
    });

    it('a principal: all its sessions, and no new one meanwhile', async () => {
      await boot();
      const alice = ['a', 'b'].map((id) => new Guest(d.world, id, subject('alice')));
      const bob = new Guest(d.world, 'c', subject('bob'));
      for (const guest of alice) guest.inFlight = 1;
      await d.begin({ target: { kind: 'principal', subject: 'alice' } });
      assert.deepEqual([...d.world.plane.drainedSubjects.keys()], ['alice']);
      await d.world.advance(TIMEOUT + 100, 50);
      assert.deepEqual(
        alice.map(({ closes }) => closes),
        [1, 1],
      );
      assert.equal(bob.closes, 0);
      assert.equal(d.world.plane.drainedSubjects.size, 0);
      assert.equal(d.board.snapshot('principal:alice')?.outcome, 'timed_out');
    });

    it('a crash of it in the middle is no end: it goes on', async () => {
      await boot();
      const [one] = d.guests(1, 1) as [Guest];
      await d.begin({ target: { kind: 'session', id: one.id } });
      await d.world.advance(1_200, 100);
      assert.ok(d.world.system.kill(`${PARTIAL_DRAINS}/${encodeURIComponent(`session:${one.id}`)}`));
      await d.world.settle();
      await d.world.advance(TIMEOUT, 50);
      assert.deepEqual(
        one.notices.map(({ notice }) => notice.remaining),
        [3_500, 2_500, 1_500, 500],
      );
      assert.equal(one.closes, 1);
      assert.equal(d.world.system.childrenOf(PARTIAL_DRAINS).length, 0);
    });

    it('an upstream: its tools leave the lists, its calls finish, then it is disabled; it can be brought back', async () => {
      d = new DrainWorld({ defaultTimeout: TIMEOUT });
      const gate = new UpstreamGate('github', 10, 1_000);
      d.world.plane.gates.set('github', gate);
      const lifecycle = upstreamLifecycle('github').path;
      await d.boot({ [lifecycle]: 'recorder' });
      gate.session = new FakeRef();
      gate.inFlight = 2;
      const target = { kind: 'upstream', name: 'github' } as const;
      await d.begin({ target });
      assert.deepEqual(d.world.take(CATALOGUE.path), [{ type: 'catalogue/unavailable', server: 'github' }]);
      assert.notEqual(gate.drainsUntil, null);
      await d.world.advance(500, 50);
      assert.equal(d.board.snapshot('upstream:github')?.state, 'draining');
      gate.inFlight = 0;
      await d.world.advance(50, 50);
      assert.equal(d.board.snapshot('upstream:github')?.state, 'closing');
      assert.deepEqual(d.world.take(lifecycle), [{ type: 'upstream/disable' }]);
      gate.session = null;
      await d.world.advance(50, 10);
      assert.equal(d.board.snapshot('upstream:github')?.state, 'stopped');
      assert.equal(gate.drainsUntil, null);
      assert.deepEqual(d.steps('upstream:github'), ['draining', 'closing:completed', 'stopped:completed']);
      await d.cancel(target);
      assert.deepEqual(d.world.take(lifecycle), [{ type: 'upstream/offer-again' }, { type: 'upstream/enable' }]);
      assert.equal(d.board.snapshot('upstream:github')?.state, 'running');
    });
  });
});
