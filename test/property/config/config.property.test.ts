import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { Ajv } from 'ajv';
import { distance } from 'fastest-levenshtein';
import fc from 'fast-check';
import { diffConfig, isEmptyDiff } from '#src/config/diff.js';
import { expandVariables } from '#src/config/expand.js';
import { optionPaths } from '#src/config/introspect.js';
import { configJsonSchema } from '#src/config/json-schema.js';
import { valueAt } from '#src/config/path.js';
import { resolveDocument } from '#src/config/resolve.js';
import { fileSchema } from '#src/config/schema.js';
import { nearest } from '#src/config/suggest.js';
import type { Config, LoadResult } from '#src/config/types.js';

const resolve = (document: unknown, env: Record<string, string> = {}): LoadResult =>
  resolveDocument(document, { file: null, baseDir: '/base', env, overrides: {} });

function configOf(document: unknown): Config {
  const result = resolve(document);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const viable = fc.record(
  { prefix: word, deny: fc.array(word, { maxLength: 2 }), maxInFlight: fc.integer({ min: 1, max: 3 }) },
  { requiredKeys: [] },
);
const entry = fc.oneof(
  fc.record(
    { command: word, args: fc.array(word, { maxLength: 2 }), env: fc.dictionary(word, word), viable },
    { requiredKeys: ['command'] },
  ),
  fc.record({ url: fc.constantFrom('http://a', 'ws://b', 'http://c/sse'), disabled: fc.boolean(), viable }),
);
const gateway = fc.record(
  {
    listen: fc.record({ port: fc.integer({ min: 0, max: 2 }) }, { requiredKeys: [] }),
    requests: fc.record({ timeout: fc.integer({ min: 1, max: 2 }) }, { requiredKeys: [] }),
    logging: fc.record({ level: fc.constantFrom('info', 'warn') }),
  },
  { requiredKeys: [] },
);
/** Few names, so that two documents share some. */
const file = fc.record({
  mcpServers: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), entry, { noNullPrototype: true }),
  gateway,
});

/** The same with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

describe('config/diff (properties)', () => {
  it('applied to the old configuration gives the new one', () => {
    fc.assert(
      fc.property(file, file, (before, after) => {
        const [old, next] = [configOf(before), configOf(after)];
        const diff = diffConfig(old, next);
        const servers = new Map(old.servers);
        for (const name of diff.removed) servers.delete(name);
        for (const name of [...diff.added, ...diff.changed]) servers.set(name, next.servers.get(name)!);
        assert.deepEqual(new Map([...servers].sort()), new Map([...next.servers].sort()));

        const options = structuredClone(old.gateway) as unknown as Record<string, Record<string, unknown>>;
        for (const path of [...diff.gateway.applied, ...diff.gateway.restart]) {
          const [, block = '', option = ''] = path.split('.');
          options[block]![option] = valueAt(next.gateway, [block, option]);
        }
        assert.deepEqual(options, next.gateway);
      }),
    );
  });

  it('puts each server into exactly one group, and an untouched one into unchanged', () => {
    fc.assert(
      fc.property(file, file, (before, after) => {
        const [old, next] = [configOf(before), configOf(after)];
        const { added, removed, changed, unchanged, reconnect } = diffConfig(old, next);
        const all = [...added, ...removed, ...changed, ...unchanged].sort();
        assert.deepEqual(all, [...new Set([...old.servers.keys(), ...next.servers.keys()])].sort());
        assert.ok(reconnect.every((name) => changed.includes(name)));
        for (const [name, server] of old.servers) {
          assert.equal(unchanged.includes(name), isDeepStrictEqual(server, next.servers.get(name)));
          const target = next.servers.get(name)?.target;
          if (target !== undefined && !isDeepStrictEqual(target, server.target)) assert.ok(reconnect.includes(name));
        }
      }),
    );
  });

  it('is empty for the same configuration, in whatever order it is written', () => {
    fc.assert(
      fc.property(file, (document) => {
        assert.ok(isEmptyDiff(diffConfig(configOf(document), configOf(reversed(document)))));
      }),
    );
  });
});

describe('config/resolve (properties)', () => {
  const knownKey = fc.constantFrom(
    ...optionPaths(fileSchema).map((path) => String(path.at(-1))),
    'mcpServers',
    'command',
    'url',
  );
  const { value: junk } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.oneof(
        fc.string(),
        fc.constantFrom('${A}', '${', 'http://h', '1'),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(fc.oneof(knownKey, fc.string()), tie('value'), { maxKeys: 3 }),
    ),
  }));

  it('never throws, whatever the document holds, and always says why it refuses', () => {
    fc.assert(
      fc.property(junk, (document) => {
        const result = resolve(document);
        if (result.ok) return;
        assert.ok(result.problems.length > 0);
        for (const problem of result.problems) {
          assert.doesNotMatch(problem.path + problem.message + (problem.suggestion ?? ''), /[\p{Cc}\p{Bidi_C}]/u);
        }
      }),
    );
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
  });

  it('accepts nothing that the JSON Schema refuses', () => {
    const validate = new Ajv({ strict: false }).compile(configJsonSchema() as object);
    fc.assert(
      fc.property(fc.oneof(file, junk), (document) => {
        if (resolve(document).ok) assert.ok(validate(document), JSON.stringify(validate.errors));
      }),
    );
  });
});

describe('config/expand (properties)', () => {
  const never = () => false;

  it('leaves text without `${` alone, and gives back what was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('${}A:-e ')) }), (text) => {
        const escaped = text.replaceAll('${', () => '$${');
        const { value, problems } = expandVariables(escaped, {}, never);
        assert.deepEqual([value, problems], [text, []]);
      }),
    );
  });

  it('puts in values as they are, once, and never shows them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (values) => {
        const env = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
        const text = values.map((_, index) => `<\${V${index}}>`).join('');
        const { value } = expandVariables([text], env, never);
        assert.deepEqual(value, [values.map((part) => `<${part}>`).join('')]);
      }),
    );
  });
});

describe('config/suggest (properties)', () => {
  const keys = [...new Set(optionPaths(fileSchema).map((path) => String(path.at(-1))))].filter((key) => key.length > 3);

  it('suggests for every slip of one letter a key that is at least as near as the right one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.nat(),
        fc.constantFrom('', 'x'),
        fc.boolean(),
        (key, at, put, insert) => {
          const index = at % key.length;
          const wrong = key.slice(0, index) + put + key.slice(insert && put !== '' ? index : index + 1);
          const found = nearest(wrong, keys);
          assert.ok(found !== undefined, wrong);
          assert.ok(
            distance(found.toLowerCase(), wrong.toLowerCase()) <= distance(key.toLowerCase(), wrong.toLowerCase()),
          );
        },
      ),
    );
  });

  it('finds a key in another case or with other separators exactly', () => {
    for (const key of keys) {
      const snake = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      assert.equal(nearest(snake, keys), key);
      assert.equal(nearest(key.toUpperCase(), keys), key);
    }
  });
});
