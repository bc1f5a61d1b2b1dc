import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodePhoenixFrame,
  encodePhoenixFrame,
  encodePhoenixReply,
  isControlPayload,
  MAX_NAME,
  speaksVsn,
} from '#src/transports/inbound/phoenix-frames.js';

const name = fc.string({ unit: 'binary', maxLength: MAX_NAME / 2 });
const ref = fc.option(name);
const payload = fc.jsonValue().map((value) => JSON.stringify(value));
const frame = fc.record({ joinRef: ref, ref, topic: name, event: name, payload }, { noNullPrototype: true });
const space = fc.array(fc.constantFrom(' ', '\t', '\r', '\n'), { maxLength: 3 }).map((parts) => parts.join(''));

describe('Phoenix frames', () => {
  it('come back as they were', () => {
    fc.assert(fc.property(frame, (given) => assert.deepEqual(decodePhoenixFrame(encodePhoenixFrame(given)), given)));
  });

  it('are the JSON that Phoenix clients read', () => {
    fc.assert(
      fc.property(frame, (given) => {
        const { joinRef, topic, event } = given;
        const read = JSON.parse(encodePhoenixFrame(given)) as unknown;
        assert.deepEqual(read, [joinRef, given.ref, topic, event, JSON.parse(given.payload)]);
        const reply = JSON.parse(encodePhoenixReply(given, 'ok', given.payload)) as unknown;
        const response = { status: 'ok', response: JSON.parse(given.payload) as unknown };
        assert.deepEqual(reply, [joinRef, given.ref, topic, 'phx_reply', response]);
      }),
    );
  });

  it('are read with any white space and any escapes', () => {
    const escaped = (text: string | null): string =>
      text === null
        ? 'null'
        : `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
    fc.assert(
      fc.property(frame, space, (given, blank) => {
        const { joinRef, topic, event } = given;
        const head = [joinRef, given.ref, topic, event].map((part) => `${blank}${escaped(part)}${blank}`);
        const decoded = decodePhoenixFrame(`${blank}[${head.join(',')},${blank}${given.payload}]${blank}`);
        assert.deepEqual(decoded, given);
      }),
    );
  });

  it('never throw, and what is read agrees with JSON.parse', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.array(fc.jsonValue()).map((v) => JSON.stringify(v)),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const decoded = decodePhoenixFrame(text);
        if (!decoded) return;
        const { joinRef, topic, event } = decoded;
        const read = JSON.parse(text) as unknown[];
        assert.deepEqual(read.slice(0, 4), [joinRef, decoded.ref, topic, event]);
      }),
    );
  });

  it('refuse names that are too long, and other shapes', () => {
    const long = 'x'.repeat(MAX_NAME + 1);
    const bad: unknown[] = [[], {}, null, ['1', '1', 't', 'e'], [1, '1', 't', 'e', {}], ['1', 1, 't', 'e', {}]];
    bad.push(
      ['1', '1', null, 'e', {}],
      ['1', '1', 't', null, {}],
      ['1', '1', long, 'e', {}],
      [long, '1', 't', 'e', {}],
    );
    for (const value of bad) assert.equal(decodePhoenixFrame(JSON.stringify(value)), undefined, JSON.stringify(value));
    const texts = [
      '',
      '[',
      '["1","1","t","e",]',
      '["1","1","t","e" {}]',
      '["1","1","t\n","e",{}]',
      '["\\x","1","t","e",{}]',
    ];
    for (const text of texts) assert.equal(decodePhoenixFrame(text), undefined, text);
  });

  it('hold a JSON object where they are no MCP message', () => {
    for (const good of ['{}', ' {"token":"x"} ']) assert.ok(isControlPayload(good), good);
    for (const bad of ['', '[]', 'null', '{},1', '{', '"x"', `{"x":"${'y'.repeat(70_000)}"}`]) {
      assert.ok(!isControlPayload(bad), bad.slice(0, 20));
    }
  });

  it('are of version 2.0', () => {
    for (const good of ['2.0.0', '2.0.1']) assert.ok(speaksVsn(good), good);
    for (const bad of [null, '', '1.0.0', '2', '2.1.0', '3.0.0', '2.0.0x', ' 2.0.0'])
      assert.ok(!speaksVsn(bad), String(bad));
  });
});
