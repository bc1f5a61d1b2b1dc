import assert from 'node:assert/strict';
import { decodeCursor, encodeCursor, MAX_CURSOR_KEY } from '#src/protocol/cursor.js';
import { compileFilter } from '#src/protocol/globs.js';
import { compileTemplate, MAX_TEMPLATE_EXPRESSIONS, MAX_TEMPLATE_LENGTH } from '#src/protocol/uri-template.js';

describe('compileFilter', () => {
  const passing = (patterns: Parameters<typeof compileFilter>[0], list: string[]): string[] =>
    list.filter(compileFilter(patterns));

  it('lets everything pass without patterns, nothing with an empty allow list', () => {
    assert.deepEqual(passing({}, ['a', '']), ['a', '']);
    assert.deepEqual(passing({ allow: [] }, ['a', '']), []);
    assert.deepEqual(passing({ deny: [] }, ['a']), ['a']);
  });

  it('knows * and ?', () => {
    const list = ['read_file', 'read_', 'write_file', 'read_files', 'a😀b', 'aXb', 'ab'];
    assert.deepEqual(passing({ allow: ['read_*'] }, list), ['read_file', 'read_', 'read_files']);
    assert.deepEqual(passing({ allow: ['*_file'] }, list), ['read_file', 'write_file']);
    assert.deepEqual(passing({ allow: ['a?b'] }, list), ['a😀b', 'aXb']);
    assert.deepEqual(passing({ allow: ['*e*_*e'] }, list), ['read_file', 'write_file']);
    assert.deepEqual(passing({ allow: ['*'] }, list), list);
    assert.deepEqual(passing({ allow: ['**?**'] }, ['', 'x']), ['x']);
  });

  it('denies before it allows, case counts, nothing else is special', () => {
    assert.deepEqual(passing({ allow: ['*'], deny: ['*delete*'] }, ['delete_all', 'list']), ['list']);
    assert.deepEqual(passing({ allow: ['Read'] }, ['read', 'Read']), ['Read']);
    const special = ['a.c', 'abc', '[ab]', '{a,b}', '!a', '(a|b)+', '\\*', 'a/b/c'];
    for (const name of special.slice(2, 6)) assert.deepEqual(passing({ allow: [name] }, special), [name]);
    assert.deepEqual(passing({ allow: ['a.c'] }, special), ['a.c']);
    assert.deepEqual(passing({ allow: ['a*c'] }, special), ['a.c', 'abc', 'a/b/c']);
    assert.deepEqual(passing({ deny: ['__proto__'] }, ['__proto__', 'constructor']), ['constructor']);
  });

  it('takes patterns that make backtracking matchers explode', () => {
    const filter = compileFilter({ allow: [`${'*a'.repeat(200)}*b`] });
    assert.equal(filter('a'.repeat(5000)), false);
    assert.equal(filter(`${'a'.repeat(5000)}b`), true);
  });
});

describe('cursors', () => {
  it('come back for their own kind of list alone', () => {
    const text = encodeCursor({ kind: 'tools', after: 'memory__read' });
    assert.match(text, /^[A-Za-z0-9_-]+$/);
    assert.deepEqual(decodeCursor(text, 'tools'), { kind: 'tools', after: 'memory__read' });
    assert.equal(decodeCursor(text, 'prompts'), undefined);
  });

  it('refuse whatever was not issued', () => {
    const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const good = encodeCursor({ kind: 'tools', after: 'x' });
    const forged: unknown[] = [
      ...['', 'x', '===', `${good}=`, `${good} `, ` ${good}`, good.slice(0, -1), `${good}A`],
      ...[b64(null), b64({}), b64([]), b64([1, 'tools']), b64([1, 'tools', 7]), b64([2, 'tools', 'x'])],
      ...[b64([1, 'tools', 'x', 'y']), b64([1, 'other', 'x']), Buffer.from('[1, "tools","x"]').toString('base64url')],
      ...[undefined, null, 7, {}, [good], 'A'.repeat(1_000_000)],
    ];
    for (const text of forged) assert.equal(decodeCursor(text, 'tools'), undefined, String(text).slice(0, 80));
  });

  it('carry every key up to the longest', () => {
    for (const unit of ['a', '\u0000', '€', '\ud800', '😀'.slice(0, 2)]) {
      const after = unit.repeat(MAX_CURSOR_KEY / unit.length);
      assert.deepEqual(decodeCursor(encodeCursor({ kind: 'resources', after }), 'resources'), {
        kind: 'resources',
        after,
      });
    }
    const tooLong = encodeCursor({ kind: 'tools', after: 'a'.repeat(MAX_CURSOR_KEY + 1) });
    assert.equal(decodeCursor(tooLong, 'tools'), undefined);
  });
});

describe('compileTemplate', () => {
  const matching = (template: string, uris: string[]): string[] => {
    const compiled = compileTemplate(template) ?? assert.fail(template);
    return uris.filter((uri) => compiled.matches(uri));
  };

  it('matches the operators of levels 1 to 3', () => {
    const cases: [string, string[], string[]][] = [
      ['test://static/{id}/data', ['test://static/7/data', 'test://static/a%20b/data'], ['test://static/a/b/data']],
      ['file:///{+path}', ['file:///a/b.txt', 'file:///'], ['file://a']],
      ['x:{#frag}', ['x:', 'x:#a/b'], ['x:a']],
      ['x:a{.ext}', ['x:a', 'x:a.txt', 'x:a.tar.gz'], ['x:atxt', 'x:a.b/c']],
      ['x:{/dir}/f', ['x:/d/f', 'x:/f'], ['x:d/f', 'x:/d/e/f']],
      ['x:{/a,b}/f', ['x:/d/e/f'], ['x:d/f']],
      ['x:p{;v,w}', ['x:p;v=1;w=2', 'x:p'], ['x:pv']],
      ['x:s{?q,lang}', ['x:s?q=a&lang=b', 'x:s', 'x:s?lang=b'], ['x:sq=a', 'x:s?q=a#f']],
      ['x:s?f=1{&q}', ['x:s?f=1&q=a', 'x:s?f=1'], ['x:s?f=1#q']],
      ['x:{a}-{b}', ['x:1-2', 'x:1-2-3', 'x:-'], ['x:1', 'x:1/2-3']],
      ['x:{x,y}', ['x:1,2'], []],
      ['x:{v:3}{w*}', ['x:abc'], []],
      ['x:plain', ['x:plain'], ['x:plain2', 'x:plai', '']],
      ['', [''], ['x']],
    ];
    for (const [template, good, bad] of cases) assert.deepEqual(matching(template, [...good, ...bad]), good, template);
  });

  it('reads encoded and plain spellings of a URI alike', () => {
    assert.deepEqual(matching('x:é/{v}', ['x:é/ü', 'x:%C3%A9/%C3%BC']), ['x:é/ü', 'x:%C3%A9/%C3%BC']);
  });

  it('refuses malformed and oversize templates', () => {
    const bad = [
      '{',
      '}',
      'a{b',
      'a}b',
      '{}',
      '{a{b}}',
      '{=a}',
      '{!a}',
      '{@a}',
      '{|a}',
      '{a b}',
      '{a,}',
      '{+}',
      '{a:0}',
    ];
    for (const template of bad) assert.equal(compileTemplate(template), undefined, template);
    assert.equal(compileTemplate('x'.repeat(MAX_TEMPLATE_LENGTH + 1)), undefined);
    assert.notEqual(compileTemplate('{a}'.repeat(MAX_TEMPLATE_EXPRESSIONS)), undefined);
    assert.equal(compileTemplate('{a}'.repeat(MAX_TEMPLATE_EXPRESSIONS + 1)), undefined);
  });

  it('orders templates by how much they fix', () => {
    const inOrder = ['x://a/b/{c}', 'x://a/{b}', 'x://a/{+b}', 'x://{a}', 'x:{/a}{b}', '{+a}'];
    const scores = inOrder.map((template) => compileTemplate(template)?.specificity ?? assert.fail(template));
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    );
    assert.equal(new Set(scores).size, scores.length);
  });

  it('takes templates and URIs that make backtracking matchers explode', () => {
    const compiled = compileTemplate(`x:${'{+a}a'.repeat(MAX_TEMPLATE_EXPRESSIONS)}b`) ?? assert.fail();
    assert.equal(compiled.matches(`x:${'a'.repeat(16_000)}`), false);
    assert.equal(compiled.matches(`x:${'a'.repeat(16_000)}b`), true);
    assert.equal(compiled.matches(`x:${'a'.repeat(100_000)}b`), false);
  });
});
