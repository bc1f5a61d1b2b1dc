/** What is suggested for an actor that does not exist: near misses of paths and of ids. */
import assert from 'node:assert/strict';
import { matchActor } from '#src/admin/suggest.js';

const PATHS = [
  '/',
  '/vitals',
  '/vitals/metrics',
  '/operations',
  '/operations/catalogue',
  '/operations/provisioning/upstreams/upstream:memory',
  '/operations/provisioning/upstreams/upstream:memory/lifecycle',
  '/front/session-registry',
  '/front/listeners/http',
  '/drain',
];

const suggested = (name: string): readonly string[] => {
  const match = matchActor(name, PATHS);
  assert.equal(match.kind, 'unknown', name);
  return match.suggestions;
};

describe('matchActor', () => {
  it('finds a path, the end of a path, an id and a name', () => {
    const found = (path: string): object => ({ kind: 'found', path });
    assert.deepEqual(matchActor('/operations/catalogue', PATHS), found('/operations/catalogue'));
    assert.deepEqual(matchActor('listeners/http', PATHS), found('/front/listeners/http'));
    assert.deepEqual(matchActor('drain', PATHS), found('/drain'));
    assert.deepEqual(matchActor('memory', PATHS), found('/operations/provisioning/upstreams/upstream:memory'));
  });

  it('suggests for an id', () => {
    assert.equal(suggested('catalog')[0], '/operations/catalogue');
    assert.equal(suggested('drian')[0], '/drain');
    assert.equal(suggested('memroy')[0], '/operations/provisioning/upstreams/upstream:memory');
  });

  it('suggests for a path that is cut short, misspelt in the middle, or right only in its last id', () => {
    assert.equal(suggested('/operations/catalog')[0], '/operations/catalogue');
    assert.equal(suggested('/frnt/listners/http')[0], '/front/listeners/http');
    assert.equal(suggested('/operations/metrics')[0], '/vitals/metrics');
    assert.equal(suggested('/sessions/session-regstry')[0], '/front/session-registry');
    assert.equal(suggested('/upstreams/upstream:memry')[0], '/operations/provisioning/upstreams/upstream:memory');
  });

  it('suggests at most three, each once, and nothing for what is far off', () => {
    assert.deepEqual(suggested('/no/such/thing-at-all'), []);
    const many = Array.from({ length: 10 }, (_, index) => `/front/connections/p0/ws-${index}`);
    const match = matchActor('/front/connections/p0/ws-x', many);
    assert.ok(match.kind === 'unknown');
    assert.equal(match.suggestions.length, 3);
    assert.equal(new Set(match.suggestions).size, 3);
  });
});
