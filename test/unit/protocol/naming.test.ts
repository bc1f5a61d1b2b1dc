import assert from 'node:assert/strict';
import { findNameConflicts, skeleton } from '#src/protocol/confusables.js';
import {
  aggregateName,
  assignPrefixes,
  MAX_PREFIX_LENGTH,
  namespacePrefix,
  splitAggregateName,
} from '#src/protocol/naming.js';
import { assignResourceUris, prefixedUri, splitPrefixedUri } from '#src/protocol/resource-uris.js';

describe('namespacePrefix', () => {
  it('keeps names as configuration files have them, and makes the others fit', () => {
    const cases: [string, string][] = [
      ['memory', 'memory'],
      ['server-filesystem', 'server-filesystem'],
      ['My Server', 'My_Server'],
      ['@modelcontextprotocol/server-memory', 'modelcontextprotocol_server-me'],
      ['a__b', 'a_b'],
      ['_private_', 'private'],
      ['a / b', 'a_b'],
      ['naïve', 'na_ve'],
      ['日本語', 'server'],
      ['', 'server'],
      ['___', 'server'],
      ['__proto__', 'proto'],
      ['\u001b[31mred', '31mred'],
    ];
    for (const [name, prefix] of cases) assert.equal(namespacePrefix(name), prefix, name);
    assert.equal(namespacePrefix('x'.repeat(1000)).length, MAX_PREFIX_LENGTH);
  });
});

describe('assignPrefixes', () => {
  it('lets the exact name keep a contested prefix and gives the others a stable suffix', () => {
    const { prefixes, conflicts } = assignPrefixes(['My Server', 'My_Server', 'My/Server', 'other']);
    assert.equal(prefixes.get('My_Server'), 'My_Server');
    assert.equal(prefixes.get('other'), 'other');
    assert.match(prefixes.get('My Server') ?? '', /^My_Server-[0-9a-f]{6}$/);
    assert.match(prefixes.get('My/Server') ?? '', /^My_Server-[0-9a-f]{6}$/);
    assert.deepEqual(
      conflicts.filter(({ kind }) => kind === 'same'),
      [{ prefix: 'My_Server', servers: ['My Server', 'My/Server', 'My_Server'], kind: 'same' }],
    );
  });

  it('does not rename servers outside the collision', () => {
    const before = assignPrefixes(['a b', 'c']).prefixes;
    const after = assignPrefixes(['a b', 'c', 'c d', 'c/d']).prefixes;
    for (const [server, prefix] of before) assert.equal(after.get(server), prefix);
  });

  it('heeds configured prefixes', () => {
    const { prefixes } = assignPrefixes(['one', 'two', 'fs'], new Map([['one', 'fs'], ['two', 'my tools']])); // prettier-ignore
    assert.equal(prefixes.get('one'), 'fs');
    assert.equal(prefixes.get('two'), 'my_tools');
    assert.match(prefixes.get('fs') ?? '', /^fs-[0-9a-f]{6}$/);
  });

  it('reports prefixes that look alike', () => {
    const { prefixes, conflicts } = assignPrefixes(['GitHub', 'github', 'git-hub', 'x']);
    assert.deepEqual([...prefixes.values()].sort(), ['GitHub', 'git-hub', 'github', 'x']);
    assert.deepEqual(
      conflicts.map(({ servers, kind }) => [kind, servers]),
      [['confusable', ['GitHub', 'git-hub', 'github']]],
    );
  });
});

describe('aggregateName', () => {
  it('leaves the server’s own name alone', () => {
    assert.equal(aggregateName('memory', 'read_graph'), 'memory__read_graph');
    for (const name of ['__proto__', '', '_x', 'a__b', '工具', 'x'.repeat(500)]) {
      assert.deepEqual(splitAggregateName(aggregateName('srv', name)), { prefix: 'srv', name });
    }
    for (const name of ['', 'plain', 'a_b', '__x']) assert.equal(splitAggregateName(name), undefined);
  });
});

describe('name conflicts', () => {
  it('tell duplicates, shared names and look-alikes apart', () => {
    const conflicts = findNameConflicts([
      { server: 'b', name: 'search' },
      { server: 'a', name: 'search' },
      { server: 'a', name: 'read_file' },
      { server: 'c', name: 'read\u200b_f\u0456le' },
      { server: 'd', name: 'twice' },
      { server: 'd', name: 'twice' },
      { server: 'e', name: 'alone' },
    ]);
    assert.deepEqual(
      conflicts.map(({ kind, offers }) => [kind, offers.map(({ server }) => server).join()]),
      [
        ['confusable', 'a,c'],
        ['same_name', 'a,b'],
        ['duplicate', 'd,d'],
      ],
    );
  });

  it('see look-alikes', () => {
    const alike: [string, string][] = [
      ['paypal', 'p\u0430yp\u0430l'],
      ['read_file', 'readFile'],
      ['list', '1ist'],
      ['o', '0'],
      ['modern', 'modem'],
      ['file', '\ufb01le'],
      ['admin', 'a\u0301dmin'],
      ['run', 'r\u202eun'],
    ];
    for (const [a, b] of alike) assert.equal(skeleton(a), skeleton(b), `${a} ${b}`);
    assert.notEqual(skeleton('read_file'), skeleton('write_file'));
  });
});

describe('resource URIs', () => {
  it('stay as they are unless several servers have them', () => {
    const { owners, conflicts } = assignResourceUris([
      { prefix: 'b', uri: 'file:///x' },
      { prefix: 'a', uri: 'file:///x' },
      { prefix: 'b', uri: 'file:///y' },
      { prefix: 'b', uri: 'file:///y' },
    ]);
    assert.deepEqual(
      [...owners],
      [
        ['file:///x', { prefix: 'a', uri: 'file:///x' }],
        ['viable://b/file:///x', { prefix: 'b', uri: 'file:///x' }],
        ['file:///y', { prefix: 'b', uri: 'file:///y' }],
      ],
    );
    assert.deepEqual(conflicts, [{ uri: 'file:///x', prefixes: ['a', 'b'] }]);
  });

  it('cannot pose as another server’s', () => {
    const { owners } = assignResourceUris([{ prefix: 'evil', uri: 'viable://good/file:///x' }]);
    assert.deepEqual([...owners.keys()], ['viable://evil/viable://good/file:///x']);
  });

  it('are found again from the prefixed form', () => {
    for (const uri of ['file:///a?b#c', 'test://{id}', '', 'a/b', 'viable://x/y']) {
      assert.deepEqual(splitPrefixedUri(prefixedUri('my_fs-1', uri)), { prefix: 'my_fs-1', uri });
    }
    for (const uri of ['file:///x', 'viable:///x', 'viable://x', 'VIABLE://x/y', '']) {
      assert.equal(splitPrefixedUri(uri), undefined);
    }
  });
});
