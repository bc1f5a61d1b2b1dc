import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineSplitter } from '#src/admin/lines.js';
import { parseAdminRequest } from '#src/admin/requests.js';
import { matchActor, nearMisses, treePaths } from '#src/admin/suggest.js';
import { fakeTree } from '../../support/admin/fixtures.js';

describe('LineSplitter', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\n', ' ').trim());

  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const splitter = new LineSplitter(1_000);
        const got = places.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(places[index], end)));
        assert.deepEqual(
          got,
          lines.filter((text) => text !== ''),
        );
      }),
    );
  });

  it('reports a long line once and keeps the ones around it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 200 }), fc.integer({ min: 1, max: 7 }), (long, chunk) => {
        const bytes = Buffer.from(`before\n${'x'.repeat(long)}\nafter\n`);
        const splitter = new LineSplitter(8);
        const got: (string | null)[] = [];
        for (let at = 0; at < bytes.length; at += chunk) got.push(...splitter.push(bytes.subarray(at, at + chunk)));
        assert.deepEqual(got, ['before', null, 'after']);
      }),
    );
  });
});

describe('parseAdminRequest', () => {
  it('never throws, and keeps the id of what it refuses', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseAdminRequest(text)));
    fc.assert(
      fc.property(fc.integer(), fc.json(), (id, params) => {
        const parsed = parseAdminRequest(`{"id": ${id}, "method": "send", "params": ${params}}`);
        assert.equal(parsed.ok ? parsed.request.id : parsed.id, id);
      }),
    );
  });

  it('names the argument that does not fit', () => {
    const parsed = parseAdminRequest('{"id": 1, "method": "logs", "params": {"level": "loud"}}');
    assert.ok(!parsed.ok);
    assert.match(parsed.error.message, /^Arguments of logs do not fit: level: /);
  });
});

describe('names of actors', () => {
  const paths = treePaths(fakeTree());

  it('finds by path, by id, by the part after the colon and by the end of a path', () => {
    const memory = { kind: 'found', path: '/operations/upstreams/upstream:memory' };
    for (const name of [memory.path, 'upstream:memory', 'memory', 'upstreams/upstream:memory']) {
      assert.deepEqual(matchActor(name, paths), memory, name);
    }
    assert.deepEqual(matchActor('/', paths), { kind: 'found', path: '/' });
  });

  it('asks when several fit and suggests when none does', () => {
    const several = matchActor('session', paths);
    assert.equal(several.kind === 'ambiguous' && several.candidates.length, 6);
    const slip = matchActor('limitr', paths);
    assert.deepEqual(slip, { kind: 'unknown', suggestions: ['/admission/limiter'] });
    assert.deepEqual(matchActor('xyzzyplugh', paths), { kind: 'unknown', suggestions: [] });
  });

  it('finds every path of every tree by itself', () => {
    for (const path of paths) assert.deepEqual(matchActor(path, paths), { kind: 'found', path });
  });

  it('suggests the nearest first and nothing far away', () => {
    assert.deepEqual(nearMisses('stauts', ['status', 'send', 'tree', 'statistics']), ['status']);
    assert.deepEqual(nearMisses('', ['status']), []);
  });
});
