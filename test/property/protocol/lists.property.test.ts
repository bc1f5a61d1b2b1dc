import assert from 'node:assert/strict';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { decodeCursor, encodeCursor, type CursorKind } from '#src/protocol/cursor.js';
import { compileFilter } from '#src/protocol/globs.js';
import { compileTemplate } from '#src/protocol/uri-template.js';

const kinds: CursorKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

describe('cursors, properties', () => {
  it('come back, and differ for different keys', () => {
    const key = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.constantFrom(...kinds), key, key, (kind, other, a, b) => {
        const text = encodeCursor({ kind, after: a });
        assert.deepEqual(decodeCursor(text, kind), { kind, after: a });
        if (other !== kind) assert.equal(decodeCursor(text, other), undefined);
        assert.equal(text === encodeCursor({ kind, after: b }), a === b);
      }),
    );
  });

  it('changed in one place they are refused or name another key', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.string({ minLength: 1, maxLength: 2 }), (after, at, noise) => {
        const text = encodeCursor({ kind: 'tools', after });
        const from = at % text.length;
        const changed = text.slice(0, from) + noise + text.slice(from + 1);
        const cursor = decodeCursor(changed, 'tools');
        if (cursor !== undefined && changed !== text) assert.notEqual(cursor.after, after);
      }),
    );
  });
});

/** The definition of a glob, as slow as it is plain. */
function globMatches(glob: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return name.length === 0;
  if (first === '*') return name.some((_, i) => globMatches(rest, name.slice(i))) || globMatches(rest, []);
  return name.length > 0 && (first === '?' || first === name[0]) && globMatches(rest, name.slice(1));
}

describe('compileFilter, properties', () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '😀'), maxLength: 7 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 8 });

  it('matches what the definition says', () => {
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        const expected = globMatches(Array.from(pattern), Array.from(text));
        assert.equal(compileFilter({ allow: [pattern] })(text), expected);
        assert.equal(compileFilter({ deny: [pattern] })(text), !expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with picomatch on names of letters', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(pattern, plain, (p, text) => {
        fc.pre(!p.includes('**'));
        assert.equal(compileFilter({ allow: [p] })(text), picomatch.isMatch(text, p, { dot: true }));
      }),
    );
  });
});

interface Operator {
  readonly first: string;
  readonly separator: string;
  readonly named: boolean;
  readonly reserved: boolean;
  readonly ifEmpty: string;
}

/** RFC 6570, appendix A. */
const OPERATORS = new Map<string, Operator>([
  ['', { first: '', separator: ',', named: false, reserved: false, ifEmpty: '' }],
  ['+', { first: '', separator: ',', named: false, reserved: true, ifEmpty: '' }],
  ['#', { first: '#', separator: ',', named: false, reserved: true, ifEmpty: '' }],
  ['.', { first: '.', separator: '.', named: false, reserved: false, ifEmpty: '' }],
  ['/', { first: '/', separator: '/', named: false, reserved: false, ifEmpty: '' }],
  [';', { first: ';', separator: ';', named: true, reserved: false, ifEmpty: '' }],
  ['?', { first: '?', separator: '&', named: true, reserved: false, ifEmpty: '=' }],
  ['&', { first: '&', separator: '&', named: true, reserved: false, ifEmpty: '=' }],
]);

/** Expands one expression as RFC 6570, section 3.2.1 says; `undefined` values are left out. */
function expand(operator: Operator, values: readonly (readonly [string, string | undefined])[]): string {
  const encode = (value: string): string => {
    const strict = encodeURIComponent(value).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return operator.reserved ? encodeURI(value).replaceAll('%5B', '[').replaceAll('%5D', ']') : strict;
  };
  const parts = values.flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (!operator.named) return [encode(value)];
    return [value === '' ? `${name}${operator.ifEmpty}` : `${name}=${encode(value)}`];
  });
  return parts.length === 0 ? '' : operator.first + parts.join(operator.separator);
}

describe('compileTemplate, properties', () => {
  const varname = fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/);
  const value = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }), { nil: undefined });
  const expression = fc.record({
    operator: fc.constantFrom(...OPERATORS.keys()),
    values: fc.array(fc.tuple(varname, value), { minLength: 1, maxLength: 3 }),
  });
  const literal = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '.', '?', '=', '&', '-', '%20', 'é') });
  const part = fc.oneof(literal, expression);

  it('matches every expansion of the template', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        let template = '';
        let uri = '';
        for (const item of parts) {
          if (typeof item === 'string') {
            template += item;
            uri += encodeURI(decodeURI(item));
          } else {
            template += `{${item.operator}${item.values.map(([name]) => name).join(',')}}`;
            uri += expand(OPERATORS.get(item.operator) ?? assert.fail(), item.values);
          }
        }
        const compiled = compileTemplate(template) ?? assert.fail(template);
        assert.ok(compiled.matches(uri), `${template} does not match ${uri}`);
      }),
      { numRuns: 1000 },
    );
  });

  it('matches a URI without variables exactly', () => {
    fc.assert(
      fc.property(literal, literal, (template, uri) => {
        const compiled = compileTemplate(template) ?? assert.fail(template);
        assert.equal(compiled.matches(uri), template === uri);
      }),
    );
  });

  it('agrees with a regular expression on simple and reserved variables', () => {
    const token = fc.constantFrom('a', '/', '{v}', '{+v}');
    const uri = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(token, { maxLength: 6 }), uri, (tokens, text) => {
        const source = tokens.map((t) => (t === '{v}' ? '[^/]*' : t === '{+v}' ? '.*' : t)).join('');
        const compiled = compileTemplate(tokens.join('')) ?? assert.fail();
        assert.equal(compiled.matches(text), new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws on any template and URI', () => {
    const soup = fc.string({ unit: fc.constantFrom('{', '}', '+', '?', 'a', ',', '*', ':', '1', '%', 'é', '\ud800') });
    fc.assert(fc.property(soup, soup, (template, uri) => void compileTemplate(template)?.matches(uri)));
  });
});
