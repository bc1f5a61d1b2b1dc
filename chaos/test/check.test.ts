/** The checker of chaos runs: clean histories pass, and each way to break one is named. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { check, recoveries, slope } from '../check.js';
import { type Entry } from '../journal.js';

interface History {
  readonly clients: Entry[];
  readonly upstreams: Entry[];
}

const outcome = fc.constantFrom('ok', 'upstream_lost', 'upstream_unavailable', 'cut');

/** A history as the gateway promises it: one answer a call, a result only for what ran, nothing run twice. */
const good = fc.array(fc.tuple(outcome, fc.boolean()), { minLength: 1, maxLength: 60 }).map((calls): History => {
  const clients: Entry[] = [];
  const upstreams: Entry[] = [];
  calls.forEach(([how, ran], at) => {
    const nonce = `n-${at}`;
    clients.push({ e: 'sent', nonce, t: at });
    if (how === 'ok' || ran) upstreams.push({ e: 'ran', nonce, t: at });
    if (how === 'cut') clients.push({ e: 'cut', nonce, t: at + 1 });
    else clients.push({ e: 'answered', nonce, t: at + 1, outcome: how, ...(how === 'ok' && { by: 7 }) });
  });
  return { clients, upstreams };
});

describe('chaos/check', () => {
  it('finds nothing in a history where every call is answered once', () => {
    fc.assert(
      fc.property(good, ({ clients, upstreams }) => {
        const { sent, ok, errors, cut, lost, duplicate, foreign, twice, phantom } = check(clients, upstreams);
        assert.deepEqual([lost, duplicate, foreign, twice, phantom], [[], [], [], [], []]);
        assert.equal(ok + cut + [...errors.values()].reduce((sum, count) => sum + count, 0), sent);
      }),
    );
  });

  it('names a call that was never answered, and one that ran for nothing', () => {
    fc.assert(
      fc.property(good, fc.nat(), ({ clients, upstreams }, pick) => {
        const ends = clients.filter(({ e }) => e !== 'sent');
        const removed = ends[pick % ends.length];
        assert.ok(removed && 'nonce' in removed);
        const verdict = check(
          clients.filter((entry) => entry !== removed),
          upstreams,
        );
        assert.deepEqual(verdict.lost, [removed.nonce]);
        assert.equal(
          verdict.unanswered.includes(removed.nonce),
          upstreams.some(({ e, ...entry }) => e === 'ran' && 'nonce' in entry && entry.nonce === removed.nonce),
        );
      }),
    );
  });

  it('names a second answer, a foreign one, a second run, and a result of nothing', () => {
    fc.assert(
      fc.property(good, fc.nat(), ({ clients, upstreams }, pick) => {
        const sent = clients.filter((entry) => entry.e === 'sent');
        const nonce = sent[pick % sent.length]?.nonce ?? '';
        const twice: Entry[] = [
          { e: 'answered', nonce, t: 1_000, outcome: 'ok' },
          { e: 'answered', nonce, t: 1_001, outcome: 'ok' },
        ];
        assert.ok(check([...clients, ...twice], upstreams).duplicate.includes(nonce));
        const stranger: Entry[] = [
          { e: 'sent', nonce: 'x', t: 1_000 },
          { e: 'answered', nonce: 'x', t: 1_001, outcome: 'foreign' },
        ];
        assert.deepEqual(check([...clients, ...stranger], upstreams).foreign, ['x']);
        const run: Entry = { e: 'ran', nonce: 'y', t: 1 };
        assert.deepEqual(check(clients, [...upstreams, run, run]).twice, ['y']);
        const made: Entry[] = [
          { e: 'sent', nonce: 'z', t: 1_000 },
          { e: 'answered', nonce: 'z', t: 1_001, outcome: 'ok' },
        ];
        assert.deepEqual(check([...clients, ...made], upstreams).phantom, ['z']);
        assert.deepEqual(check([...clients, { e: 'unasked', id: 'a-1', t: 1 }], upstreams).duplicate, ['a-1']);
      }),
    );
  });

  it('measures from a kill to the first result of another process', () => {
    const clients: Entry[] = [
      { e: 'answered', nonce: 'a', t: 90, outcome: 'ok', by: 1 },
      { e: 'answered', nonce: 'b', t: 101, outcome: 'ok', by: 1 },
      { e: 'answered', nonce: 'c', t: 105, outcome: 'upstream_lost' },
      { e: 'answered', nonce: 'd', t: 160, outcome: 'ok', by: 2 },
    ];
    const kill = (t: number, pid: number): Entry => ({ e: 'fault', what: 'kill', t, pid });
    assert.deepEqual(recoveries(clients, [kill(100, 1), kill(170, 2)]), [60, Infinity]);
  });

  it('gives a slope of memory when there is enough of it', () => {
    const rising = Array.from({ length: 60 }, (_, second): [number, number] => [second * 1_000, second * 1_024]);
    assert.equal(Math.round(slope(rising) ?? 0), 60);
    assert.equal(slope(rising.slice(0, 15)), null);
  });
});
