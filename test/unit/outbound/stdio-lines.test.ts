import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineSplitter, looksLikeJson } from '#src/transports/outbound/stdio-lines.js';

const ROOMY = { maxLineBytes: 1_000_000, maxJunkBytes: 1_000_000 };

/** Cuts bytes at the given places. */
function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), fc.constantFrom('\n', '\r\n'), (lines, cuts, ending) => {
        const bytes = Buffer.from(lines.map((text) => text + ending).join(''));
        const seen: string[] = [];
        let total = 0;
        const splitter = new LineSplitter(ROOMY, (text, size) => {
          seen.push(text);
          total += size;
        });
        for (const chunk of chunked(bytes, cuts)) assert.equal(splitter.push(chunk), true);
        const whole = lines.map((text) => Buffer.from(text).toString()).filter((text) => text !== '');
        assert.deepEqual(seen, whole);
        assert.equal(total, bytes.length - lines.filter((text) => text === '').length * ending.length);
      }),
    );
  });

  it('holds an unfinished line back', () => {
    const seen: string[] = [];
    const splitter = new LineSplitter(ROOMY, (text) => seen.push(text));
    splitter.push(Buffer.from('{"a":1}\n{"b"'));
    assert.deepEqual(seen, ['{"a":1}']);
    splitter.push(Buffer.from(':2}\n'));
    assert.deepEqual(seen, ['{"a":1}', '{"b":2}']);
  });

  it('refuses a line past the cap, finished or not, and takes one at the cap', () => {
    const limits = { maxLineBytes: 10, maxJunkBytes: 10 };
    const at = new LineSplitter(limits, () => undefined);
    assert.equal(at.push(Buffer.from('{23456789}\n{23456789}\n')), true);
    assert.equal(new LineSplitter(limits, () => undefined).push(Buffer.from('{2345678901\n')), false);
    const slow = new LineSplitter(limits, () => undefined);
    const answers = Array.from('{2345678901', (char) => slow.push(Buffer.from(char)));
    assert.deepEqual(answers.indexOf(false), 10);
  });

  it('refuses junk without an end earlier than JSON', () => {
    const limits = { maxLineBytes: 1_000, maxJunkBytes: 10 };
    const junk = new LineSplitter(limits, () => undefined);
    assert.equal(junk.push(Buffer.from('no JSON at all')), false);
    assert.equal(junk.exceeded, 10);
    assert.equal(new LineSplitter(limits, () => undefined).push(Buffer.from('  {"json": "perhaps"')), true);
  });

  it('tells JSON by its first character', () => {
    for (const [text, expected] of [
      ['{}', true],
      [' \t[1]', true],
      ['x{}', false],
      ['', false],
    ] as const) {
      const bytes = Buffer.from(text);
      assert.equal(looksLikeJson(bytes, 0, bytes.length), expected, text);
    }
  });
});
