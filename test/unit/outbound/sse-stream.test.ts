import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SseStream } from '#src/transports/outbound/sse-stream.js';

function read(bytes: Buffer, cuts: readonly number[] = []): [string, string | undefined][] {
  const seen: [string, string | undefined][] = [];
  const stream = new SseStream(1_000_000, (data, type) => seen.push([data, type]));
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  [...places, bytes.length].forEach((end, index) => {
    assert.equal(stream.feed(bytes.subarray(places[index - 1] ?? 0, end)), true);
  });
  return seen;
}

describe('SseStream', () => {
  it('gives the same events however the bytes are cut', () => {
    const data = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(data), fc.array(fc.nat()), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => `event: message\ndata: ${text}\n\n`).join(''));
        assert.deepEqual(
          read(bytes, cuts),
          texts.map((text) => [text, 'message']),
        );
      }),
    );
  });

  it('passes over a byte order mark, comments, priming events and unknown fields', () => {
    assert.deepEqual(read(Buffer.from('\ufeffdata: a\n\n:hello\n\nid: 1\ndata:\n\nfoo: bar\ndata: b\ndata: c\n\n')), [
      ['a', undefined],
      ['b\nc', undefined],
    ]);
  });

  it('remembers the last id and the retry time', () => {
    const stream = new SseStream(100, () => undefined);
    stream.feed(Buffer.from('id: one\ndata:\n\nretry: 250\n\n'));
    assert.equal(stream.lastEventId, 'one');
    assert.equal(stream.retryMs, 250);
    stream.feed(Buffer.from('id: two\ndata: x\n\ndata: y\n\n'));
    assert.equal(stream.lastEventId, 'two');
  });

  it('is spent once an event is past the cap', () => {
    const stream = new SseStream(100, () => undefined);
    assert.equal(stream.feed(Buffer.from(`data: ${'x'.repeat(50)}\n\n`.repeat(10))), true);
    assert.equal(stream.feed(Buffer.from(`data: ${'x'.repeat(200)}`)), false);
  });
});
