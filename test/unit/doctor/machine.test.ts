import assert from 'node:assert/strict';
import { clockFinding, nodeFinding } from '#src/doctor/machine.js';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const DAY = 86_400_000;

describe('doctor: the machine', () => {
  it('wants the Node.js of package.json or a newer one', () => {
    const verdicts = ['20.19.0', '20.18.3', '18.20.0', '22.0.0', '24.1.0'].map(
      (version) => nodeFinding(version, '>=20.19.0').verdict,
    );
    assert.deepEqual(verdicts, ['ok', 'fail', 'fail', 'ok', 'ok']);
    assert.match(nodeFinding('18.0.0', '>=20.19.0').advice ?? '', /20\.19/);
  });

  it('judges the clock by the server that is nearest to it', () => {
    const at = (...ahead: number[]) =>
      clockFinding(
        NOW,
        NOW - DAY,
        ahead.map((aheadMs, i) => ({ host: `h${i}`, aheadMs })),
      );
    assert.equal(at().verdict, 'ok');
    assert.equal(at(400).verdict, 'ok');
    assert.equal(at(10_000).verdict, 'warning');
    assert.match(at(10_000).message, /10 s behind h0/);
    assert.equal(at(-90_000).verdict, 'fail');
    assert.match(at(-90_000).message, /90 s ahead of h0/);
    assert.equal(at(-90_000, 200).verdict, 'ok');
  });

  it('does not believe a clock from before the program was built', () => {
    const found = clockFinding(NOW, NOW + 30 * DAY, []);
    assert.equal(found.verdict, 'fail');
    assert.match(found.message, /2026-11-28.*2026-12-28/);
  });
});
