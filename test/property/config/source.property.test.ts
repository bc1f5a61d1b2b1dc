import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readJsonc } from '#src/config/jsonc.js';
import { formatPath, type Path } from '#src/config/path.js';
import { formatOf, lineColumn, readSource, sourceProblem } from '#src/config/source.js';
import { stringify } from 'yaml';

const key = fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text !== '__proto__');
const { value: document } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

const noise = fc.constantFrom('', ' ', '\n', '\r\n\t', '// it is "a" {comment}\n', '/* [1,\n2] */');

/** JSON text of `value` with white space, comments and trailing commas from `next`. */
function print(value: unknown, next: () => string): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => `${next()}${print(item, next)}${next()},`).join('')}${next()}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([name, item]) => `${next()}${JSON.stringify(name)}${next()}:${next()}${print(item, next)}${next()}`,
    );
    return `{${entries.join(',')}${next()}}`;
  }
  return JSON.stringify(value);
}

/** Through JSON, which has no -0. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function leaves(value: unknown, path: Path = []): [Path, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([name, item]) =>
    leaves(item, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

describe('config/source (properties)', () => {
  it('reads what JSON means, whatever comments and trailing commas are around it', () => {
    fc.assert(
      fc.property(document, fc.array(noise, { minLength: 1, maxLength: 9 }), (value, noises) => {
        let turn = 0;
        const text = print(value, () => noises[turn++ % noises.length]!);
        const read = readJsonc(text);
        assert.deepEqual(read.errors, []);
        assert.deepEqual(read.value, plain(value));
      }),
    );
  });

  it('accepts all that JSON.parse accepts, with the same meaning, but duplicate keys', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\ 01e-+.tun')) })),
        (text) => {
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            return;
          }
          const read = readJsonc(text);
          if (read.errors.some((error) => /twice|__proto__/.test(error.message))) return;
          assert.deepEqual(read.errors, []);
          assert.deepEqual(read.value, expected);
        },
      ),
    );
  });

  it('knows where each value is', () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 0, max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { positions } = readJsonc(text);
        for (const [path, leaf] of leaves(plain(value))) {
          const offset = positions.find(path, 'value');
          assert.ok(offset !== undefined && text.startsWith(JSON.stringify(leaf), offset), formatPath(path));
        }
      }),
    );
  });

  it('reads the same from YAML', () => {
    const word = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 })
      .filter((text) => text !== '__proto__' && text !== '<<');
    fc.assert(
      fc.property(fc.dictionary(word, fc.array(word), { minKeys: 1, noNullPrototype: true }), (value) => {
        const { value: read, errors } = readSource(stringify(value), 'yaml');
        assert.deepEqual(errors, []);
        assert.deepEqual(read, value);
      }),
    );
  });

  it('never throws, and points into the text', () => {
    const yamlish = fc.string({ unit: fc.constantFrom(...Array.from('ab:-&*!|>%@`"\'{}[],# \n\t<?')), maxLength: 60 });
    const jsonish = fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\/* \n\ttru1')), maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(yamlish, jsonish, fc.string({ unit: 'binary' })), (text) => {
        for (const name of ['a.json', 'a.yaml', 'a']) {
          const { errors } = readSource(text, formatOf(name, text));
          for (const error of errors) {
            assert.ok(error.offset >= 0 && error.offset <= text.length);
            const problem = sourceProblem(text, error);
            assert.doesNotMatch(problem.message + problem.path, /[\p{Cc}\p{Bidi_C}]/u);
            assert.ok(problem.excerpt!.split('\n').length === 2);
          }
        }
      }),
    );
  });

  it('counts lines and columns as an editor does', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\n]*$/)), fc.nat(), (lines, at) => {
        const text = lines.join('\n');
        const offset = at % (text.length + 1);
        const { line, column } = lineColumn(text, offset);
        const before = text.split('\n').slice(0, line - 1);
        assert.equal(before.reduce((sum, part) => sum + part.length + 1, 0) + column - 1, offset);
      }),
    );
  });
});
