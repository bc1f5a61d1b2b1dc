import assert from 'node:assert/strict';
import * as sdk from '@modelcontextprotocol/sdk/types.js';
import {
  CLIENT_NOTIFICATIONS,
  CLIENT_REQUESTS,
  isLogLevel,
  LOG_LEVELS,
  SERVER_NOTIFICATIONS,
  SERVER_REQUESTS,
} from '#src/protocol/methods.js';
import {
  isLegacyRevision,
  LATEST_LEGACY_REVISION,
  LEGACY_REVISIONS,
  negotiateLegacy,
  supportsBatch,
} from '#src/protocol/revisions.js';

describe('revisions', () => {
  it('answers with the requested version where we speak it, else with our latest', () => {
    for (const version of LEGACY_REVISIONS) assert.equal(negotiateLegacy(version), version);
    for (const other of ['2026-07-28', '2099-01-01', '1.0', '', undefined, null, 7, {}, ['2025-06-18']]) {
      assert.equal(negotiateLegacy(other), LATEST_LEGACY_REVISION);
      assert.equal(isLegacyRevision(other), false);
    }
  });

  it('lists the versions in order, ours the last', () => {
    assert.deepEqual([...LEGACY_REVISIONS].sort(), LEGACY_REVISIONS);
    assert.equal(LEGACY_REVISIONS.at(-1), LATEST_LEGACY_REVISION);
  });

  it('knows what differs on the wire', () => {
    assert.deepEqual(LEGACY_REVISIONS.filter(supportsBatch), ['2025-03-26']);
  });
});

/** The method literals of a union of SDK message schemas, without the experimental tasks. */
function methodsOf(union: { readonly options: readonly { readonly shape: object }[] }): string[] {
  return union.options
    .map(({ shape }) => {
      assert.ok('method' in shape);
      const { method } = shape as { method: { value: string } };
      return method.value;
    })
    .filter((method) => !method.includes('tasks/'))
    .sort();
}

describe('methods', () => {
  it('are those of the official SDK, both ways', () => {
    assert.deepEqual([...CLIENT_REQUESTS.keys()].sort(), methodsOf(sdk.ClientRequestSchema));
    assert.deepEqual([...CLIENT_NOTIFICATIONS.keys()].sort(), methodsOf(sdk.ClientNotificationSchema));
    assert.deepEqual([...SERVER_REQUESTS.keys()].sort(), methodsOf(sdk.ServerRequestSchema));
    assert.deepEqual([...SERVER_NOTIFICATIONS.keys()].sort(), methodsOf(sdk.ServerNotificationSchema));
  });

  it('let nothing but initialize and ping come first', () => {
    const early = [...CLIENT_REQUESTS.values()].filter((rule) => rule.beforeInitialized === true);
    assert.deepEqual(
      early.map((rule) => rule.method),
      ['initialize', 'ping'],
    );
  });

  it('route each request that reaches an upstream by what names it', () => {
    const routes = [...CLIENT_REQUESTS.values()].filter((rule) => rule.route !== 'gateway');
    assert.deepEqual(
      routes.map((rule) => [rule.method, rule.route]),
      [
        ['tools/call', 'tool'],
        ['prompts/get', 'prompt'],
        ['resources/read', 'resource'],
        ['resources/subscribe', 'resource'],
        ['resources/unsubscribe', 'resource'],
        ['completion/complete', 'completion'],
      ],
    );
  });

  it('do not know names that every object has', () => {
    for (const method of ['__proto__', 'constructor', 'toString', '']) {
      assert.equal(CLIENT_REQUESTS.get(method), undefined);
      assert.equal(SERVER_NOTIFICATIONS.get(method), undefined);
    }
  });

  it('know the log levels', () => {
    assert.deepEqual(LOG_LEVELS, sdk.LoggingLevelSchema.options);
    assert.ok(isLogLevel('warning') && !isLogLevel('warn') && !isLogLevel(undefined));
  });
});
