import assert from 'node:assert/strict';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { type JsonRpcMessage } from '#src/protocol/jsonrpc.js';
import { admitHttpMessage, admitMessage } from '#src/protocol/modern/era.js';
import {
  CLIENT_CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  LOG_LEVEL_KEY,
  PROTOCOL_VERSION_KEY,
} from '#src/protocol/modern/meta.js';
import { probeRequest, startProbe, stepProbe, type ProbeOutcome } from '#src/protocol/modern/probe.js';

const V = '2026-07-28';
const envelope = { [PROTOCOL_VERSION_KEY]: V, [CLIENT_CAPABILITIES_KEY]: {} };
const request = (method: string, meta?: object, params: object = {}): JsonRpcMessage => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { ...params, ...(meta && { _meta: meta }) },
});
const H = (version?: string, method?: string, name?: string): Record<string, string> => ({
  ...(version !== undefined && { 'mcp-protocol-version': version }),
  ...(method !== undefined && { 'mcp-method': method }),
  ...(name !== undefined && { 'mcp-name': name }),
});

/** `legacy`, `modern`, or the name of the error. */
function http(message: JsonRpcMessage, headers: Record<string, string>): string {
  const admission = admitHttpMessage(message, headers);
  return admission.era === 'refused' ? admission.error : admission.era;
}

describe('the era of a POSTed message', () => {
  const initialize = request('initialize', undefined, { protocolVersion: '2025-11-25' });
  const cases: [string, JsonRpcMessage, Record<string, string>, string][] = [
    ['initialize', initialize, {}, 'legacy'],
    ['initialize with a legacy header', initialize, H('2025-11-25'), 'legacy'],
    ['initialize with a modern header', initialize, H(V), 'header_mismatch'],
    ['initialize with an envelope', request('initialize', envelope), H(V, 'initialize'), 'modern'],
    ['a legacy request', request('tools/list'), H('2025-06-18'), 'legacy'],
    ['a legacy request without header', request('tools/list'), {}, 'legacy'],
    ['a legacy response', { jsonrpc: '2.0', id: 1, result: {} }, {}, 'legacy'],
    ['a legacy notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, H('2025-11-25'), 'legacy'],
    ['a modern request', request('tools/list', envelope), H(V, 'tools/list'), 'modern'],
    ['a modern header without envelope', request('tools/list'), H(V, 'tools/list'), 'invalid_envelope'],
    ['no capabilities', request('tools/list', { [PROTOCOL_VERSION_KEY]: V }), H(V, 'tools/list'), 'invalid_envelope'],
    [
      'a version that is no text',
      request('tools/list', { ...envelope, [PROTOCOL_VERSION_KEY]: 1 }),
      H(V),
      'invalid_envelope',
    ],
    [
      'another version in the header',
      request('tools/list', envelope),
      H('2025-11-25', 'tools/list'),
      'header_mismatch',
    ],
    ['another method in the header', request('tools/list', envelope), H(V, 'tools/call'), 'header_mismatch'],
    ['a method in another case', request('tools/list', envelope), H(V, 'Tools/List'), 'header_mismatch'],
    ['a modern notification', { jsonrpc: '2.0', method: 'notifications/x' }, H(V), 'modern'],
    ['a notification whose header lies', { jsonrpc: '2.0', method: 'notifications/x' }, H(V, 'y'), 'header_mismatch'],
  ];
  for (const [what, message, headers, expected] of cases) {
    it(`${what}: ${expected}, as the official SDK says`, () => {
      assert.equal(http(message, headers), expected);
      const theirs = classifyInboundRequest({
        httpMethod: 'POST',
        body: message,
        ...(headers['mcp-protocol-version'] !== undefined && {
          protocolVersionHeader: headers['mcp-protocol-version'],
        }),
        ...(headers['mcp-method'] !== undefined && { mcpMethodHeader: headers['mcp-method'] }),
      });
      const code = { header_mismatch: -32020, invalid_envelope: -32602 }[expected];
      if (theirs.kind === 'reject') assert.deepEqual([theirs.code, theirs.httpStatus], [code, 400]);
      else assert.equal(theirs.kind, expected);
    });
  }

  it('needs every standard header, and none that lies', () => {
    const call = request('tools/call', envelope, { name: 'é' });
    assert.equal(http(call, H(undefined, 'tools/call', '=?base64?w6k=?=')), 'header_mismatch');
    assert.equal(http(call, H(V, undefined, '=?base64?w6k=?=')), 'header_mismatch');
    assert.equal(http(call, H(V, 'tools/call')), 'header_mismatch');
    assert.equal(http(call, H(V, 'tools/call', 'é')), 'header_mismatch');
    assert.equal(http(call, H(V, 'tools/call', '=?base64?w6k?=')), 'header_mismatch');
    assert.equal(http(call, H(V, 'tools/call', ' =?base64?w6k=?= ')), 'modern');
    assert.equal(http(request('tools/call', envelope), H(V, 'tools/call', 'x')), 'modern');
  });

  it('names the versions that it speaks', () => {
    for (const version of ['1900-01-01', '2025-11-25', '2099-01-01']) {
      const message = request('tools/list', { ...envelope, [PROTOCOL_VERSION_KEY]: version });
      const admission = admitHttpMessage(message, H(version, 'tools/list'));
      assert.ok(admission.era === 'refused' && admission.error === 'unsupported_protocol_version');
      assert.deepEqual(admission.data, { supported: [V], requested: version });
    }
    assert.equal(http(request('tools/list'), H('2099-01-01', 'tools/list')), 'unsupported_protocol_version');
    assert.equal(http({ jsonrpc: '2.0', id: 1, result: {} }, H(V)), 'invalid_request');
  });
});

describe('the era of a message on a channel without headers', () => {
  it('is told by the envelope, of which a part is enough', () => {
    const era = (message: JsonRpcMessage) => {
      const admission = admitMessage(message);
      return admission.era === 'refused' ? admission.error : admission.era;
    };
    assert.equal(era(request('initialize')), 'legacy');
    assert.equal(era(request('tools/list', { progressToken: 1 })), 'legacy');
    assert.equal(era({ jsonrpc: '2.0', id: 1, result: { _meta: envelope } }), 'legacy');
    assert.equal(era(request('tools/list', envelope)), 'modern');
    assert.equal(era(request('tools/list', { [CLIENT_CAPABILITIES_KEY]: {} })), 'invalid_envelope');
    assert.equal(era(request('tools/list', { ...envelope, [CLIENT_INFO_KEY]: {} })), 'invalid_envelope');
    assert.equal(era(request('tools/list', { ...envelope, [LOG_LEVEL_KEY]: 'loud' })), 'invalid_envelope');
  });

  it('gives the envelope', () => {
    const meta = { ...envelope, [CLIENT_INFO_KEY]: { name: 'c', version: '1' }, [LOG_LEVEL_KEY]: 'debug' };
    const admission = admitMessage(request('tools/list', meta));
    assert.ok(admission.era === 'modern' && admission.kind === 'request');
    assert.deepEqual(admission.envelope, {
      protocolVersion: V,
      clientCapabilities: {},
      clientInfo: { name: 'c', version: '1' },
      logLevel: 'debug',
    });
  });
});

describe('probing', () => {
  const failure = (code: number, data?: unknown, status?: number): ProbeOutcome => ({
    kind: 'answer',
    message: { jsonrpc: '2.0', id: 'p', error: { code, message: 'm', ...(data !== undefined && { data }) } },
    ...(status !== undefined && { status }),
  });
  const success = (result: Record<string, unknown>): ProbeOutcome => ({
    kind: 'answer',
    message: { jsonrpc: '2.0', id: 'p', result },
  });
  const body = (status: number): ProbeOutcome => ({ kind: 'answer', status, message: undefined });
  const verdict = (channel: 'stdio' | 'http', outcome: ProbeOutcome) => {
    const told = stepProbe(startProbe(channel), outcome);
    return 'reason' in told ? `${told.era} ${told.reason}` : told.era;
  };

  it('asks with an envelope of its own', () => {
    const message = probeRequest(startProbe('stdio'), 'p', { name: 'g', version: '1' });
    assert.equal(message.method, 'server/discover');
    assert.equal(admitMessage(message).era, 'modern');
  });

  it('takes for modern what is recognisably so', () => {
    for (const channel of ['stdio', 'http'] as const) {
      assert.equal(verdict(channel, success({ supportedVersions: [V], capabilities: {} })), 'modern');
      assert.equal(verdict(channel, success({ supportedVersions: ['2025-11-25', V], capabilities: {} })), 'modern');
      assert.equal(verdict(channel, failure(-32020, undefined, 400)), 'modern');
      assert.equal(verdict(channel, failure(-32021, undefined, 400)), 'modern');
      assert.equal(verdict(channel, failure(-32022, { supported: ['2027-01-01'] }, 400)), 'none no_common_version');
      assert.equal(
        verdict(channel, success({ supportedVersions: ['2027-01-01'], capabilities: {} })),
        'none no_common_version',
      );
    }
  });

  it('takes for legacy whatever else answers', () => {
    for (const channel of ['stdio', 'http'] as const) {
      for (const code of [-32601, -32602, -32000, -32001, -32600, -32603, 1]) {
        assert.equal(verdict(channel, failure(code)), 'legacy no_modern_answer');
        assert.equal(verdict(channel, failure(code, undefined, 500)), 'legacy no_modern_answer');
      }
      assert.equal(verdict(channel, failure(-32022)), 'legacy no_modern_answer');
      assert.equal(verdict(channel, failure(-32022, { supported: ['2025-11-25'] })), 'legacy offers_legacy_versions');
      assert.equal(verdict(channel, success({ tools: [] })), 'legacy no_modern_answer');
    }
    for (const status of [200, 202, 400, 404, 405, 406, 415])
      assert.equal(verdict('http', body(status)), 'legacy no_modern_answer');
    assert.equal(verdict('stdio', { kind: 'timeout' }), 'legacy no_answer');
    assert.deepEqual(stepProbe(startProbe('stdio'), { kind: 'failed' }), {
      era: 'legacy',
      reason: 'no_answer',
      respawn: true,
    });
  });

  it('learns nothing from what stands in front of a server, and tries initialize in the end', () => {
    assert.equal(verdict('http', body(401)), 'none unauthorized');
    assert.equal(verdict('http', failure(-32000, undefined, 403)), 'none unauthorized');
    for (const outcome of [body(500), body(503), body(429), { kind: 'timeout' }, { kind: 'failed' }] as const) {
      let state = startProbe('http');
      for (const failures of [1, 2]) {
        const told = stepProbe(state, outcome);
        assert.ok(told.era === 'retry' && told.reason === 'unavailable');
        state = told.state;
        assert.equal(state.failures, failures);
      }
      assert.deepEqual(stepProbe(state, outcome), { era: 'legacy', reason: 'keeps_failing' });
    }
  });

  it('does not ask twice with one version', () => {
    assert.equal(verdict('http', failure(-32022, { supported: [V] }, 400)), 'none no_common_version');
  });
});
