import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { INPUT_REQUEST_METHODS } from '#src/protocol/methods.js';
import { resultForLegacy, resultForModern } from '#src/protocol/modern/bridge.js';
import { addEnvelope, legacyEnvelope, readEnvelope, stripEnvelope } from '#src/protocol/modern/envelope.js';
import {
  bareResult,
  fromLegacyRequest,
  inputRequiredResult,
  type InputRequest,
  originalParams,
  readInputRequired,
  readRetry,
  retryParams,
  toLegacyRequest,
} from '#src/protocol/modern/mrtr.js';

const members = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
const id = fc.oneof(fc.string(), fc.maxSafeInteger());
/** Without these members. */
function without(value: object, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** As it comes off the wire. */
const wire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const input = fc
  .tuple(fc.constantFrom(...INPUT_REQUEST_METHODS), members, fc.boolean())
  .map(([method, params, url]): InputRequest => {
    const rest = without(wire(params), 'elicitationId', '_meta');
    return { method, params: method === 'elicitation/create' ? { ...rest, mode: url ? 'url' : 'form' } : rest };
  });
const serverInfo = { name: 'gateway', version: '1' };

describe('MRTR and legacy requests, properties', () => {
  it('lose nothing from input request to legacy request and back', () => {
    fc.assert(
      fc.property(input, id, (request, requestId) => {
        const legacy = toLegacyRequest(request, requestId, 'e-1');
        assert.equal(legacy.id, requestId);
        assert.equal(legacy.params?.['elicitationId'], request.params?.['mode'] === 'url' ? 'e-1' : undefined);
        assert.deepEqual(fromLegacyRequest(wire(legacy)), request);
      }),
    );
  });

  it('lose nothing through an interim result on the wire', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), input)),
        fc.option(fc.string({ unit: 'binary' })),
        (entries, state) => {
          const requests = new Map([...entries, ['__proto__', { method: 'roots/list' } as const]]);
          const reading = readInputRequired(wire(inputRequiredResult(requests, state ?? undefined, serverInfo)));
          assert.ok(!('fault' in reading));
          assert.equal(reading.requestState, state ?? undefined);
          assert.deepEqual(Object.fromEntries(reading.requests), Object.fromEntries(requests));
        },
      ),
    );
  });

  it('carry responses and state byte for byte in the retry, and nothing else changes', () => {
    const state = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
    fc.assert(
      fc.property(members, fc.array(fc.tuple(fc.string(), members)), state, (params, answers, requestState) => {
        const original = originalParams(wire(params))!;
        const responses = new Map(wire(answers) as [string, JsonObject][]);
        const retry = wire(retryParams({ ...original, requestState: 'older' }, responses, requestState));
        const reading = readRetry(retry);
        assert.ok(!('error' in reading));
        assert.equal(reading.requestState, requestState);
        assert.deepEqual(Object.fromEntries(reading.responses!), Object.fromEntries(responses));
        assert.deepEqual(originalParams(retry), original);
      }),
    );
  });

  it('leave a result as it is but for its type', () => {
    fc.assert(
      fc.property(members, (value) => {
        const result = without(wire(value), 'resultType');
        assert.equal(bareResult(result), result);
        assert.deepEqual(bareResult({ ...result, resultType: 'complete' }), result);
      }),
    );
  });
});

describe('envelopes and results, properties', () => {
  it('put on and taken off leave what was there', () => {
    fc.assert(
      fc.property(members, members, members, (params, meta, capabilities) => {
        const envelope = legacyEnvelope({ capabilities: capabilities, logLevel: 'info' }, '2026-07-28');
        const plain = {
          ...(params as JsonObject),
          ...(Object.keys(meta).length > 0 ? { _meta: meta } : {}),
        } as JsonObject;
        if (Object.keys(meta).length === 0) delete plain['_meta'];
        const before = JSON.stringify(plain);
        const full = addEnvelope(plain, envelope);
        const reading = readEnvelope(wire(full));
        assert.ok(reading.ok && reading.envelope.logLevel === 'info');
        assert.deepEqual(stripEnvelope(full), plain);
        assert.equal(JSON.stringify(plain), before);
      }),
    );
  });

  it('read nothing but errors from anything else, and never throw', () => {
    fc.assert(
      fc.property(members, members, (params, meta) => {
        assert.equal(readEnvelope(params as JsonObject).ok, false);
        assert.equal(readEnvelope({ _meta: meta }).ok, false);
      }),
    );
  });

  it('bring a legacy result to a modern client and back unchanged', () => {
    const method = fc.constantFrom('tools/list', 'resources/read', 'prompts/get', 'completion/complete');
    fc.assert(
      fc.property(method, members, (name, value) => {
        const result = without(wire(value), 'resultType', 'ttlMs', 'cacheScope', '_meta', 'tools');
        const modern = resultForModern(name, result, serverInfo);
        assert.equal(modern['resultType'], 'complete');
        assert.equal('ttlMs' in modern, name === 'tools/list' || name === 'resources/read');
        assert.deepEqual(resultForLegacy(name, modern), result);
      }),
    );
  });
});
