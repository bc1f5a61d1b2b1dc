import assert from 'node:assert/strict';
import { load, refused } from './support.js';

/** Text, line and column of the first problem, what it says. */
type SyntaxCase = [text: string, line: number, column: number, message: RegExp];

const JSON_CASES: SyntaxCase[] = [
  ['{"a": 1 "b": 2}', 1, 8, /expected `,` or `}`/],
  ['{"a": [1 2]}', 1, 9, /expected `,` or `\]`/],
  ['{\n  "a": 1\n  "b": 2\n}', 2, 9, /expected `,` or `}`/],
  ['{"a" 1}', 1, 6, /expected `:`/],
  ['{a: 1}', 1, 2, /key in double quotes/],
  ["{'a': 1}", 1, 2, /key in double quotes/],
  ['{"a": b}', 1, 7, /expected a value/],
  ['{"a": 01}', 1, 7, /expected a value/],
  ['{"a": }', 1, 7, /expected a value/],
  ['{"a": "x\n"}', 1, 7, /no closing `"`/],
  ['{"a": "C:\\tools\\x"}', 1, 16, /not a known escape/],
  ['{"a": {"b": 1}', 1, 1, /`{` is never closed/],
  ['{"a": [1', 1, 7, /`\[` is never closed/],
  ['{"a": ', 1, 7, /file ends where a value/],
  ['{"a": 1}}', 1, 9, /goes on after its end/],
  ['{"a": 1,,}', 1, 9, /`,` too many/],
  ['{"a": 1 /* x}', 1, 9, /comment has no closing/],
  ['{"__proto__": {}}', 1, 2, /`__proto__` cannot be a key/],
  ['{"a": 1,\n "a": 2}', 2, 2, /there twice/],
  ['['.repeat(100_000), 1, 66, /levels deep/],
];

const YAML_CASES: SyntaxCase[] = [
  ['a:\n\tb: 1\n', 2, 1, /tab/],
  ['a: 1\nb: 2\na: 3\n', 3, 1, /there twice/],
  ['a: *nope\n', 1, 4, /alias/],
  ['a: [1, 2\nb: 1\n', 2, 1, /./],
  ['a: "x\nb: 1\n', 3, 1, /missing/],
  ['a: b: c\n', 1, 4, /two `key: value` pairs/],
  ['a: 1\n---\nb: 2\n', 2, 1, /more than one document/],
  ['__proto__: {x: 1}\n', 1, 1, /`__proto__`/],
];

describe('config/syntax', () => {
  for (const [name, cases] of [
    ['x.json', JSON_CASES],
    ['x.yaml', YAML_CASES],
  ] as const) {
    for (const [text, line, column, message] of cases) {
      it(`${name}: ${JSON.stringify(text.slice(0, 30))}`, async () => {
        const [problem, ...more] = refused(await load(text, { name }));
        assert.deepEqual([problem!.line, problem!.column], [line, column], problem!.message);
        assert.match(problem!.message, message);
        assert.equal(more.length, 0);
      });
    }
  }

  it('points at the spot with a caret', async () => {
    const [problem] = refused(await load('{\n  "command": "x" "args": []\n}'));
    assert.equal(problem!.excerpt, '  "command": "*" "****": []\n                ^');
  });

  it('cuts a long line around the spot', async () => {
    const text = `{"a": "${'x'.repeat(500)}" 1}`;
    const [line = '', caret = ''] = refused(await load(text))[0]!.excerpt!.split('\n');
    assert.ok(line.length <= 100);
    assert.equal(line[caret.indexOf('^') - 1], '"');
  });

  it('reports every duplicate key, and says that a variable needs quotes in a YAML flow map', async () => {
    const twice = refused(await load('{"a": {"b": 1, "b": 2}, "c": 1, "c": 2}'));
    assert.deepEqual(
      twice.map((problem) => problem.path),
      ['a.b', 'c'],
    );
    const [problem] = refused(await load('mcpServers: {a: {command: ${X}}}\n', { name: 'x.yaml' }));
    assert.match(problem!.suggestion!, /quotes/);
  });

  it('stops at a billion laughs and at bottomless nesting in YAML', async () => {
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [of, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'].map((pair) => [pair[0], pair[1]])) {
      laughs.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(', ')}]`);
    }
    assert.match(refused(await load(laughs.join('\n'), { name: 'x.yaml' }))[0]!.message, /too many aliases/);
    for (const text of ['['.repeat(5000), '- '.repeat(20_000), '? '.repeat(20_000), `${' '.repeat(20_000)}a: b`]) {
      assert.match(refused(await load(text, { name: 'x.yaml' }))[0]!.message, /nested too deep/);
    }
    assert.match(refused(await load(`${'['.repeat(200)}${']'.repeat(200)}`, { name: 'x.yaml' }))[0]!.message, /deep/);
  });
});
