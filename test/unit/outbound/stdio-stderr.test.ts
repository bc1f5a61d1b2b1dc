import assert from 'node:assert/strict';
import { StderrLines } from '#src/transports/outbound/stdio-stderr.js';
import { ManualClock } from '../../support/outbound/manual-clock.js';

describe('StderrLines', () => {
  let clock: ManualClock;
  let lines: string[];
  let stderr: StderrLines;

  beforeEach(() => {
    clock = new ManualClock();
    lines = [];
    stderr = new StderrLines(clock, 3, (line) => lines.push(line));
  });

  const push = (text: string): void => stderr.push(Buffer.from(text));

  it('passes lines on, cleaned, whole however they are cut', () => {
    push('one\r\ntw');
    push('o\n\n\u001b[31mred\u001b[0m \u202etab\there\n');
    assert.deepEqual(lines, ['one', 'two', 'red tab here']);
    assert.equal(stderr.last, 'red tab here');
  });

  it('cuts a line at 4,096 characters and forgets the rest of it', () => {
    for (let i = 0; i < 10; i++) push('x'.repeat(10_000));
    push('\nnext\n');
    assert.equal(lines[0]?.length, 4_096);
    assert.equal(lines[1], 'next');
  });

  it('drops past the rate and reports how many when the second is over', () => {
    push('1\n2\n3\n4\n5\n');
    push('6\n');
    assert.deepEqual(lines, ['1', '2', '3']);
    assert.equal(stderr.last, '6');
    clock.advance(1_000);
    push('7\n');
    assert.deepEqual(lines, ['1', '2', '3', '[3 more lines dropped: over 3 lines a second]', '7']);
    assert.equal(stderr.last, '7');
  });

  it('reports the drops although nothing more comes', () => {
    push('1\n2\n3\n4\n');
    clock.advance(1_000);
    assert.equal(lines.at(-1), '[1 more lines dropped: over 3 lines a second]');
    assert.deepEqual(clock.waits, []);
  });

  it('passes an unfinished line and the count at the end, and leaves no timer', () => {
    push('1\n2');
    stderr.end();
    assert.deepEqual(lines, ['1', '2']);
    push('\n3\n4\n5\n');
    stderr.end();
    assert.equal(lines.at(-1), '[2 more lines dropped: over 3 lines a second]');
    assert.deepEqual(clock.waits, []);
  });

  it('has no last line before the first', () => {
    assert.equal(stderr.last, '');
  });
});
