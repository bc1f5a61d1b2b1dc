import assert from 'node:assert/strict';
import { specTypeSchemas } from '@modelcontextprotocol/server';
import { type JsonRpcRequest } from '#src/protocol/jsonrpc.js';
import { CLIENT_REQUESTS, MODERN_CLIENT_REQUESTS } from '#src/protocol/methods.js';
import { errorForLegacy, errorForModern, resultForLegacy } from '#src/protocol/modern/bridge.js';
import { combineCacheHints, readCacheHints } from '#src/protocol/modern/caching.js';
import { missingCapabilities } from '#src/protocol/modern/capabilities.js';
import { aggregateCapabilities, discoverResult, readDiscover } from '#src/protocol/modern/discover.js';
import { forwardEnvelope, modernCapabilities, modernResult, readEnvelope } from '#src/protocol/modern/envelope.js';
import { checkParamHeaders, scanParamHeaders } from '#src/protocol/modern/headers.js';
import { CLIENT_CAPABILITIES_KEY, PROTOCOL_VERSION_KEY } from '#src/protocol/modern/meta.js';
import {
  fromLegacyRequest,
  fromUrlElicitationError,
  matchResponses,
  readInputRequired,
} from '#src/protocol/modern/mrtr.js';
import * as subs from '#src/protocol/modern/subscriptions.js';

const serverInfo = { name: 'g', version: '1' };
const V = '2026-07-28';

describe('modern methods', () => {
  it('are the legacy ones without sessions, and two new ones', () => {
    const removed = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'];
    const expected = [...CLIENT_REQUESTS.keys()].filter((method) => !removed.includes(method));
    assert.deepEqual(
      [...MODERN_CLIENT_REQUESTS.keys()].sort(),
      [...expected, 'server/discover', 'subscriptions/listen'].sort(),
    );
    const interim = [...MODERN_CLIENT_REQUESTS.values()].filter((rule) => rule.multiRoundTrip);
    assert.deepEqual(interim.map((rule) => rule.method).sort(), ['prompts/get', 'resources/read', 'tools/call']);
  });
});

describe('the envelope', () => {
  it('keeps extensions to itself whose methods end at the gateway', () => {
    const capabilities = {
      extensions: { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': { a: 1 } },
    };
    const params = {
      name: 't',
      _meta: { traceparent: 'x', [PROTOCOL_VERSION_KEY]: V, [CLIENT_CAPABILITIES_KEY]: capabilities },
    };
    const reading = readEnvelope(params);
    assert.ok(reading.ok);
    const forwarded = readEnvelope(forwardEnvelope(params, reading.envelope, V));
    assert.ok(forwarded.ok);
    assert.deepEqual(forwarded.envelope.clientCapabilities, { extensions: { 'io.modelcontextprotocol/ui': { a: 1 } } });
    const plain = { _meta: { [PROTOCOL_VERSION_KEY]: V, [CLIENT_CAPABILITIES_KEY]: { sampling: {} } } };
    const same = readEnvelope(plain);
    assert.ok(same.ok);
    assert.equal(forwardEnvelope(plain, same.envelope, V), plain);
  });

  it('spells legacy capabilities in the modern way', () => {
    const legacy = {
      roots: { listChanged: true },
      tasks: { list: {} },
      sampling: { tools: {} },
      experimental: { x: {} },
    };
    assert.deepEqual(modernCapabilities(legacy), { roots: {}, sampling: { tools: {} }, experimental: { x: {} } });
  });

  it('names the server where it did not name itself', () => {
    const named = {
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'u', version: '2' } },
    };
    assert.equal(modernResult(named, serverInfo), named);
    assert.deepEqual(modernResult({ content: [] }, serverInfo), {
      content: [],
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
    });
  });
});

describe('x-mcp-header', () => {
  const reasons: [object, RegExp][] = [
    [{ 'x-mcp-header': 'A', type: 'object' }, /reachable/],
    [{ properties: { a: { type: 'string', 'x-mcp-header': '' } } }, /token/],
    [{ properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } }, /token/],
    [{ properties: { a: { type: 'string', 'x-mcp-header': 'a\r\nb' } } }, /token/],
    [{ properties: { a: { type: 'number', 'x-mcp-header': 'A' } } }, /boolean/],
    [
      { properties: { a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } } },
      /repeats/,
    ],
    [{ properties: { a: { items: { type: 'string', 'x-mcp-header': 'A' } } } }, /reachable/],
    [{ anyOf: [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }] }, /reachable/],
    [{ $defs: { d: { type: 'string', 'x-mcp-header': 'A' } } }, /reachable/],
  ];
  it('is refused where the specification forbids it', () => {
    for (const [schema, reason] of reasons) {
      const scan = scanParamHeaders(schema);
      assert.ok(!scan.ok && reason.test(scan.reason), JSON.stringify(schema));
    }
  });

  it('is no annotation as data or as the name of a property', () => {
    const schema = { properties: { 'x-mcp-header': { type: 'string', default: { 'x-mcp-header': 'A' } } } };
    assert.deepEqual(scanParamHeaders(schema), { ok: true, headers: [] });
  });

  it('compares whole numbers as numbers, exactly', () => {
    const scan = scanParamHeaders({ properties: { n: { type: 'integer', 'x-mcp-header': 'N' } } });
    assert.ok(scan.ok);
    const agrees = (raw: string, n: unknown) =>
      checkParamHeaders({ 'mcp-param-n': raw }, scan.headers, { n }) === undefined;
    assert.ok(agrees('42', 42) && agrees('42.0', 42) && agrees('-7', -7));
    assert.ok(!agrees('42.00000000000000000001', 42) && !agrees('0x2a', 42) && !agrees('4e1', 40) && !agrees('43', 42));
    assert.ok(agrees('anything', null) && agrees('anything', undefined));
    assert.ok(!agrees('\u00e9', undefined));
    assert.ok(!agrees('42', '42.0'));
  });
});

describe('discovery', () => {
  it('of the gateway is read by itself and by the official schema', () => {
    const capabilities = aggregateCapabilities([
      { tools: {}, logging: {}, experimental: { x: {} } },
      { resources: { subscribe: true }, prompts: {}, extensions: { 'io.modelcontextprotocol/tasks': {}, 'a.b/c': {} } },
      { resources: {}, extensions: { 'a.b/c': { other: true } } },
    ]);
    assert.deepEqual(capabilities, {
      tools: { listChanged: true },
      logging: {},
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      extensions: { 'a.b/c': {} },
    });
    const result = discoverResult({
      capabilities,
      serverInfo,
      instructions: 'i',
      hints: { ttlMs: 5, cacheScope: 'public' },
    });
    const judged = specTypeSchemas.DiscoverResult['~standard'].validate(result);
    assert.ok(!(judged instanceof Promise) && judged.issues === undefined);
    assert.deepEqual(readDiscover(result), {
      supportedVersions: [V],
      version: V,
      capabilities,
      serverInfo,
      instructions: 'i',
      hints: { ttlMs: 5, cacheScope: 'public' },
    });
    assert.ok('fault' in readDiscover({ supportedVersions: V, capabilities }));
  });
});

describe('multi-round-trip requests', () => {
  const legacy = (method: string, params?: object): JsonRpcRequest => ({
    jsonrpc: '2.0',
    id: 7,
    method,
    ...(params && { params: { ...params } }),
  });

  it('drop what the modern era has not, and refuse what is no input request', () => {
    const url = { mode: 'url', url: 'https://e.example', message: 'm' };
    assert.deepEqual(
      fromLegacyRequest(
        legacy('elicitation/create', { ...url, elicitationId: 'x', _meta: { progressToken: 1, a: 2 } }),
      ),
      {
        method: 'elicitation/create',
        params: { ...url, _meta: { a: 2 } },
      },
    );
    assert.equal(fromLegacyRequest(legacy('ping')), undefined);
    assert.equal(fromLegacyRequest(legacy('sampling/createMessage')), undefined);
    assert.deepEqual(fromLegacyRequest(legacy('roots/list')), { method: 'roots/list' });
    const requests = fromUrlElicitationError({
      code: -32042,
      message: 'm',
      data: { elicitations: [{ ...url, elicitationId: 'x' }] },
    });
    assert.deepEqual([...(requests ?? [])], [['url-0', { method: 'elicitation/create', params: url }]]);
    assert.equal(fromUrlElicitationError({ code: -32042, message: 'm' }), undefined);
  });

  it('must ask for something', () => {
    const reading = (result: object) => readInputRequired({ resultType: 'input_required', ...result });
    assert.ok(
      'fault' in reading({}) && 'fault' in reading({ inputRequests: [] }) && 'fault' in reading({ requestState: 1 }),
    );
    assert.ok('fault' in reading({ inputRequests: { a: { method: 'tools/list', params: {} } } }));
    assert.ok(!('fault' in reading({ requestState: '' })));
  });

  it('tell missing, malformed and surplus responses apart', () => {
    const requests = new Map([
      ['e', { method: 'elicitation/create', params: {} }],
      ['r', { method: 'roots/list' }],
    ] as const);
    const matched = matchResponses(
      requests,
      new Map([
        ['e', { action: 'decline' }],
        ['else', {}],
      ]),
    );
    assert.ok(!('error' in matched));
    assert.deepEqual([[...matched.answered.keys()], [...matched.missing.keys()]], [['e'], ['r']]);
    const wrong = matchResponses(requests, new Map([['e', { action: 'maybe' }]]));
    assert.ok('error' in wrong && wrong.data?.key === 'e');
  });

  it('ask only for what was declared', () => {
    const form = { method: 'elicitation/create', params: {} } as const;
    const url = { method: 'elicitation/create', params: { mode: 'url' } } as const;
    const tools = { method: 'sampling/createMessage', params: { tools: [] } } as const;
    assert.equal(missingCapabilities(form, { elicitation: {} }), undefined);
    assert.deepEqual(missingCapabilities(form, { elicitation: { url: {} } }), { elicitation: { form: {} } });
    assert.deepEqual(missingCapabilities(url, { elicitation: {} }), { elicitation: { url: {} } });
    assert.equal(missingCapabilities(url, { elicitation: { url: {} } }), undefined);
    assert.deepEqual(missingCapabilities(tools, { sampling: {} }), { sampling: { tools: {} } });
    assert.deepEqual(missingCapabilities({ method: 'roots/list' }, {}), { roots: {} });
  });
});

describe('bridged results and errors', () => {
  it('fit the other era', () => {
    const error = (code: number) => ({ code, message: 'm', data: 1 });
    assert.deepEqual(errorForModern(error(-32002)), { code: -32602, message: 'm', data: 1 });
    assert.equal(errorForModern(error(-32050)).code, -32603);
    assert.equal(errorForModern(error(-32021)).code, -32021);
    for (const code of [-32042, -32020, -32022]) assert.equal(errorForModern(error(code)).code, -31012);
    assert.equal(errorForLegacy(error(-32020)).code, -31012);
    assert.equal(errorForLegacy(error(-32601)).code, -32601);
    assert.deepEqual(resultForLegacy('tools/call', { resultType: 'complete', content: [], structuredContent: [1] }), {
      content: [],
    });
    assert.deepEqual(
      resultForLegacy('tools/list', {
        tools: [{ name: 'a', outputSchema: { type: 'array' } }],
        ttlMs: 1,
        cacheScope: 'public',
      }),
      { tools: [{ name: 'a' }] },
    );
  });
});

describe('subscriptions', () => {
  const read = (notifications: unknown) => subs.readFilter({ notifications });

  it('begin with what is honoured, and carry the id of their request', () => {
    const reading = read({
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ['a://1', 'b://2'],
    });
    assert.ok(reading.ok);
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
    const honoured = subs.honouredFilter(reading.filter, capabilities, (uri) => uri !== 'b://2');
    const first = subs.acknowledgement('s', honoured);
    assert.deepEqual(first.params?.['notifications'], { toolsListChanged: true, resourceSubscriptions: ['a://1'] });
    const upstream = {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'a://1', _meta: { 'io.modelcontextprotocol/subscriptionId': 9, a: 1 } },
    } as const;
    const relayed = subs.forSubscription(upstream, 's');
    const idKey = 'io.modelcontextprotocol/subscriptionId';
    assert.deepEqual(first.params['_meta'], { [idKey]: 's' });
    assert.deepEqual(relayed.params, { uri: 'a://1', _meta: { [idKey]: 's', a: 1 } });
    assert.equal((subs.teardownResult(0, serverInfo).result['_meta'] as Record<string, unknown>)[idKey], 0);
  });

  it('deliver what was asked for and nothing else', () => {
    const reading = read({ resourceSubscriptions: ['file:///a', 'x:'], toolsListChanged: false });
    assert.ok(reading.ok);
    const updated = (uri?: string) =>
      subs.accepts(reading.filter, {
        jsonrpc: '2.0',
        method: 'notifications/resources/updated',
        params: uri === undefined ? {} : { uri },
      });
    assert.ok(updated('file:///a') && updated('file:///a/b/c') && updated('x:'));
    assert.ok(!updated('file:///ab') && !updated('file:///') && !updated());
    for (const method of ['notifications/tools/list_changed', 'notifications/message', 'notifications/progress']) {
      assert.equal(subs.accepts(reading.filter, { jsonrpc: '2.0', method }), false);
    }
    assert.ok(!subs.isEmptyFilter(reading.filter));
  });

  it('refuse a filter that is none', () => {
    for (const bad of [
      undefined,
      [],
      { toolsListChanged: 1 },
      { resourceSubscriptions: 'a' },
      { resourceSubscriptions: [1] },
    ]) {
      assert.equal(read(bad).ok, false);
    }
    assert.equal(read({ resourceSubscriptions: Array.from({ length: 1001 }, String) }).ok, false);
  });
});

describe('cache hints', () => {
  it('are cautious in doubt, and combine to the least', () => {
    assert.deepEqual(readCacheHints({}), { ttlMs: 0, cacheScope: 'private' });
    assert.deepEqual(readCacheHints({ ttlMs: -1, cacheScope: 'PUBLIC' }), { ttlMs: 0, cacheScope: 'private' });
    assert.deepEqual(readCacheHints({ ttlMs: 1e99, cacheScope: 'public' }), {
      ttlMs: 86_400_000,
      cacheScope: 'public',
    });
    const hints = [
      { ttlMs: 9, cacheScope: 'public' },
      { ttlMs: 5, cacheScope: 'private' },
      { ttlMs: 7, cacheScope: 'public' },
    ] as const;
    assert.deepEqual(combineCacheHints(hints), { ttlMs: 5, cacheScope: 'private' });
    assert.deepEqual(combineCacheHints([hints[0], hints[2]]), { ttlMs: 7, cacheScope: 'public' });
    assert.deepEqual(combineCacheHints([]), { ttlMs: 0, cacheScope: 'private' });
  });
});
