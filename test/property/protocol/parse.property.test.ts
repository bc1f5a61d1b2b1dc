import assert from 'node:assert/strict';
import fc from 'fast-check';
import { errorText, resultText } from '#src/protocol/jsonrpc.js';
import { parseFrame, type ParsedFrame } from '#src/protocol/parse.js';

const id = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger());
const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
/** Params whose names stay different when case is ignored. */
const params = object.filter((value) => {
  const names = Object.keys(value).map((name) => name.toUpperCase().toLowerCase());
  return new Set(names).size === names.length;
});
const jsonrpc = fc.constant('2.0' as const);
const method = fc.string({ unit: 'binary' });
const error = fc.record({ code: fc.maxSafeInteger(), message: fc.string() });

const request = fc.record({ jsonrpc, id, method, params }, { requiredKeys: ['jsonrpc', 'id', 'method'] });
const notification = fc.record({ jsonrpc, method, params }, { requiredKeys: ['jsonrpc', 'method'] });
const result = fc.record({ jsonrpc, id, result: object });
const failure = fc.record({ jsonrpc, id: fc.option(id), error });
const message = fc.oneof(request, notification, result, failure);

/** JSON text with random white space and every string possibly written in \u escapes. */
function spelled(value: unknown, escape: () => boolean, space: () => string): string {
  const text = (item: string): string =>
    escape()
      ? `"${[...Array(item.length).keys()].map((i) => `\\u${item.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(item);
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) {
    return `[${space()}${value.map((item) => spelled(item, escape, space)).join(`${space()},${space()}`)}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, item]) => `${space()}${text(name)}${space()}:${space()}${spelled(item, escape, space)}${space()}`,
  );
  return `{${members.join(',')}}`;
}

function messageOf(frame: ParsedFrame): unknown {
  assert.ok(frame.kind !== 'invalid' && frame.kind !== 'batch', JSON.stringify(frame));
  return frame.message;
}

describe('parseFrame, properties', () => {
  it('gives back every message that was serialised', () => {
    fc.assert(
      fc.property(message, (m) => {
        const text = JSON.stringify(m);
        assert.deepEqual(messageOf(parseFrame(text)), JSON.parse(text));
      }),
    );
  });

  it('gives it back however it is spelled', () => {
    fc.assert(
      fc.property(message, fc.infiniteStream(fc.nat(9)), (m, dice) => {
        const roll = (): number => Number(dice.next().value);
        const text = spelled(
          m,
          () => roll() < 3,
          () => [' ', '\n', '\t', '\r\n  '][roll()] ?? '',
        );
        assert.deepEqual(messageOf(parseFrame(text)), JSON.parse(text));
      }),
    );
  });

  it('keeps the order and number of a batch', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (messages) => {
        const text = JSON.stringify(messages);
        const frame = parseFrame(text);
        assert.ok(frame.kind === 'batch');
        assert.deepEqual(frame.items.map(messageOf), JSON.parse(text));
      }),
    );
  });

  it('finds a duplicate wherever it is put and however it is spelled', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'binary' }), {
      minLength: 1,
      maxLength: 40,
      selector: (name) => name.toUpperCase().toLowerCase(),
    });
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(), fc.boolean(), (list, from, to, escaped) => {
        const written = list.map((name) => `${JSON.stringify(name)}:{"deep":[1,{"x":"}"}]}`);
        const twin = list[from % list.length] ?? '';
        const name = escaped ? spelled(twin, () => true, String) : JSON.stringify(twin);
        const twice = written.toSpliced(to % (list.length + 1), 0, `${name}:2`);
        const text = (members: string[]): string =>
          `{"jsonrpc":"2.0","id":1,"method":"m","params":{${members.join(',')}}}`;
        assert.equal(parseFrame(text(written)).kind, 'request');
        const frame = parseFrame(text(twice));
        assert.ok(frame.kind === 'invalid' && frame.error === 'duplicate_key' && frame.id === 1, JSON.stringify(frame));
      }),
    );
  });

  it('finds a duplicate in the envelope wherever it is put', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(), fc.boolean(), (m, from, to, escaped) => {
        const written = Object.entries(m).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
        const twin = Object.keys(m)[from % written.length] ?? '';
        const name = escaped ? spelled(twin, () => true, String) : JSON.stringify(twin);
        const frame = parseFrame(`{${written.toSpliced(to % (written.length + 1), 0, `${name}:"m"`).join(',')}}`);
        assert.ok(frame.kind === 'invalid' && frame.error === 'duplicate_key', JSON.stringify(frame));
        assert.equal(frame.id, twin === 'id' ? null : m.id);
      }),
    );
  });

  it('never throws on mutated messages, and accepts only what JSON.parse accepts', () => {
    const edit = fc.record({ at: fc.nat(), cut: fc.nat(4), insert: fc.string({ unit: 'binary', maxLength: 4 }) });
    const noise = fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '"id"', '\\u0069', '"params":{', 'null');
    const edits = fc.array(fc.oneof(edit, fc.record({ at: fc.nat(), cut: fc.nat(4), insert: noise })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.oneof(message, fc.array(message)), edits, (m, changes) => {
        let text = JSON.stringify(m);
        for (const { at, cut, insert } of changes) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + insert + text.slice(from + cut);
        }
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const frame = parseFrame(text);
        if (!valid) assert.ok(frame.kind === 'invalid' && frame.error === 'parse_error');
        else if (frame.kind === 'invalid') assert.notEqual(frame.error, 'parse_error');
        assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseFrame(text)));
    const soup = fc.array(fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', '"id":1', '"params":{"a":1,'));
    fc.assert(fc.property(soup, (parts) => void parseFrame(parts.join(''))));
  });

  it('refuses exactly the nesting beyond the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (depth, max, square) => {
          const text = square ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
          const frame = parseFrame(text, { maxDepth: max });
          assert.equal(frame.kind === 'invalid' && frame.error === 'too_deep', depth > max);
        },
      ),
    );
  });

  it('reads what the builders write', () => {
    fc.assert(
      fc.property(id, object, error, (anId, value, anError) => {
        const text = resultText(anId, JSON.stringify(value));
        assert.deepEqual(messageOf(parseFrame(text)), JSON.parse(text));
        const refusal = JSON.parse(JSON.stringify({ jsonrpc: '2.0', id: anId, error: anError })) as unknown;
        assert.deepEqual(messageOf(parseFrame(errorText(anId, anError))), refusal);
      }),
    );
  });
});
