import assert from 'node:assert/strict';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { encodeSse, SSE_KEEPALIVE, type SseEvent } from '#src/protocol/sse.js';
import { stripControl } from '#src/protocol/text.js';

/** Text dense in what has to go. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001b',
      '\u001b[',
      '\u001b]',
      '\u009d',
      '\u009b',
      '\u0007',
      '\u001b\\',
      '\n',
      '\r',
      '\t',
      'm',
      '3',
    ),
    fc.constantFrom('\u202e', '\u200b', '\u2066', '\ufeff', '\ud83d', '\ude00', '😀', 'a', ' ', '\u{e0041}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 60,
});

describe('stripControl, properties', () => {
  it('leaves no control, escape, bidi or invisible character and no lone surrogate', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const clean = stripControl(text);
        assert.doesNotMatch(clean, /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Cs}\u2028\u2029]/u);
        assert.equal(stripControl(clean), clean);
      }),
      { numRuns: 2000 },
    );
  });

  it('never exceeds the maximum, and cuts only where it must', () => {
    fc.assert(
      fc.property(nasty, fc.nat(70), (text, max) => {
        const whole = Array.from(stripControl(text));
        const cut = Array.from(stripControl(text, max));
        assert.ok(cut.length <= max);
        if (whole.length <= max) assert.deepEqual(cut, whole);
        else if (max > 0) assert.deepEqual(cut, [...whole.slice(0, max - 1), '…']);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not touch printable ASCII', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(stripControl(text), text)));
  });
});

function read(stream: string, chunk: number): { events: EventSourceMessage[]; retries: number[] } {
  const events: EventSourceMessage[] = [];
  const retries: number[] = [];
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (retry) => retries.push(retry),
    onError: (error) => assert.fail(error),
  });
  for (let at = 0; at < stream.length; at += chunk) parser.feed(stream.slice(at, at + chunk));
  return { events, retries };
}

describe('encodeSse, properties', () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n\0]/.test(text));
  const data = fc.string({
    unit: fc.oneof(fc.constantFrom('\n', '\r', '\r\n', ':', ' '), fc.string({ unit: 'binary' })),
  });
  const event: fc.Arbitrary<SseEvent> = fc.record(
    { event: line, id: line, retry: fc.nat(), data },
    { requiredKeys: ['data'], noNullPrototype: true },
  );

  it('is read back by eventsource-parser, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (sent, chunk) => {
        // A first character U+FEFF of a stream is a byte order mark, no part of an event: begin with a comment.
        const stream = SSE_KEEPALIVE + sent.map(encodeSse).join(SSE_KEEPALIVE);
        const { events, retries } = read(stream, chunk);
        assert.deepEqual(
          events.map((e) => [e.event, e.id, e.data]),
          sent.map((e) => [e.event, e.id, e.data.replace(/\r\n|\r/g, '\n')]),
        );
        assert.deepEqual(
          retries,
          sent.flatMap((e) => e.retry ?? []),
        );
      }),
    );
  });

  it('carries every JSON value', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const { events } = read(encodeSse({ event: 'message', data: json }), 7);
        assert.deepEqual(
          events.map((e) => e.data),
          [json],
        );
      }),
    );
  });
});
