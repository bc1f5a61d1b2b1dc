/**
 * Messages that no client should send, on every client transport: the answer of the specification, and the gateway goes
 * on serving this client and a good one (checked after each).
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { textOf } from '../support/fixture-names.js';
import { RAW_PEERS, type RawPeer } from '../support/raw-peers.js';
import { MAX_BODY } from '../support/settings.js';
import { goodGateway, works } from './good-gateway.js';

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

/** Text that is no acceptable message, and the error that it gets. */
const MALFORMED: readonly { readonly what: string; readonly text: string; readonly code: number }[] = [
  { what: 'malformed JSON', text: '{"jsonrpc":"2.0","id":1,"method":"ping"', code: PARSE_ERROR },
  { what: 'text that is no JSON', text: 'hello', code: PARSE_ERROR },
  { what: 'an empty body', text: '', code: PARSE_ERROR },
  { what: 'white space', text: ' \n ', code: PARSE_ERROR },
  { what: 'a scalar', text: '42', code: INVALID_REQUEST },
  { what: 'an empty object', text: '{}', code: INVALID_REQUEST },
  { what: 'another JSON-RPC version', text: '{"jsonrpc":"1.0","id":1,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'id null', text: '{"jsonrpc":"2.0","id":null,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a fractional id', text: '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'an object as id', text: '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a boolean as id', text: '{"jsonrpc":"2.0","id":true,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a number as method', text: '{"jsonrpc":"2.0","id":1,"method":7}', code: INVALID_REQUEST },
  { what: 'an array as params', text: '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', code: INVALID_PARAMS },
  { what: 'result and error at once', text: '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', code: INVALID_REQUEST },
  {
    what: 'a duplicate id',
    text: '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate method',
    text: '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate method, escaped',
    text: '{"jsonrpc":"2.0","id":1,"method":"ping","meth\\u006fd":"tools/list"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate tool name',
    text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","name":"good__env"}}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a tool name that stands twice but for case',
    text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","Name":"good__env"}}',
    code: INVALID_REQUEST,
  },
  { what: '100,000 nested arrays', text: '['.repeat(100_000), code: INVALID_REQUEST },
  {
    what: '20,000 nested objects in the arguments',
    text: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}`,
    code: INVALID_REQUEST,
  },
];

describe('bad messages', () => {
  const world = goodGateway();

  for (const { name, open } of RAW_PEERS) {
    describe(name, () => {
      let peer: RawPeer;
      beforeEach(async () => {
        peer = await open(world.gateway.url);
      });
      afterEach(async () => {
        await peer.close();
      });

      for (const { what, text, code } of MALFORMED) {
        it(`${what}: ${code}, and the connection goes on`, async () => {
          const { status, messages } = await peer.send(text);
          if (status !== undefined) assert.equal(status, 400);
          assert.equal(messages.length, 1, JSON.stringify(messages));
          assert.equal(messages[0]?.error?.code, code, JSON.stringify(messages[0]));
          await works(peer);
        });
      }

      it('an unknown method is -32601', async () => {
        for (const method of ['no/such/method', 'constructor', '__proto__', '']) {
          assert.equal((await peer.request(method)).error?.code, METHOD_NOT_FOUND, method);
        }
      });

      it('an unknown tool, prompt or argument shape is -32602', async () => {
        const cases: [string, Record<string, unknown>][] = [
          ['tools/call', { name: 'good__no-such-tool', arguments: {} }],
          ['tools/call', { name: 'nobody__echo', arguments: {} }],
          ['tools/call', { name: 'echo', arguments: {} }],
          ['tools/call', { name: '__proto__' }],
          ['tools/call', { name: 'constructor' }],
          ['tools/call', { name: 7 }],
          ['tools/call', {}],
          ['prompts/get', { name: 'good__no-such-prompt' }],
          ['prompts/get', {}],
          ['resources/read', {}],
          ['tools/list', { cursor: 'made up' }],
          ['logging/setLevel', { level: 'loud' }],
          ['completion/complete', { ref: { type: 'ref/nothing' }, argument: {} }],
        ];
        for (const [method, params] of cases) {
          const { error } = await peer.request(method, params);
          assert.equal(error?.code, INVALID_PARAMS, `${method} ${JSON.stringify(params)}`);
        }
      });

      it('an unknown resource is the error of this era, -32002', async () => {
        assert.equal((await peer.request('resources/read', { uri: 'nobody://serves/this' })).error?.code, -32002);
      });

      it('an id in use is refused, the first request undisturbed', async () => {
        const gate = randomUUID();
        const params = { name: 'good__slow', arguments: { gate } };
        const first = peer.request('tools/call', params, 'same');
        await world.hub.waitFor('good', 'held', (event) => event['gate'] === gate);
        first.catch(() => undefined);
        const again = { name: 'good__echo', arguments: { text: 'again' } };
        const message = { jsonrpc: '2.0', id: 'same', method: 'tools/call', params: again };
        const { messages } = await peer.send(JSON.stringify(message));
        assert.equal(messages[0]?.error?.code, INVALID_REQUEST, JSON.stringify(messages));
        world.hub.tell('good', 'release', { gate });
        await world.hub.waitFor('good', 'released', (event) => event['gate'] === gate);
        await works(peer);
      });

      it('unknown notifications and answers to nothing are dropped', async () => {
        await peer.notify('notifications/no-such-thing');
        await peer.notify('notifications/cancelled', { requestId: 'never sent' });
        await peer.notify('notifications/progress', { progressToken: 'never given', progress: 1 });
        await works(peer);
      });

      it('dangerous keys in arguments pass through and change nothing', async () => {
        const text =
          '{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"good__echo","arguments":{"text":"t","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}';
        const { messages } = await peer.send(text);
        assert.equal(textOf(messages.find((message) => message.id === 'p')?.result), 't');
      });

      it('a batch is answered in the revision that has it', async () => {
        const old = await open(world.gateway.url, '2025-03-26');
        const batch = [
          { jsonrpc: '2.0', id: 'a', method: 'ping' },
          { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } },
          { jsonrpc: '2.0', id: 'b', method: 'tools/call', params: { name: 'good__echo', arguments: { text: 'in' } } },
          { jsonrpc: '2.0', id: 'c', method: 'no/such/method' },
        ];
        const { messages } = await old.send(JSON.stringify(batch), 3);
        const by = new Map(messages.map((message) => [message.id, message]));
        assert.deepEqual([...by.keys()].sort(), ['a', 'b', 'c']);
        assert.equal(textOf(by.get('b')?.result), 'in');
        assert.equal(by.get('c')?.error?.code, METHOD_NOT_FOUND);
        const empty = await old.send('[]');
        assert.equal(empty.messages[0]?.error?.code, INVALID_REQUEST);
        await old.close();
      });

      it('a batch is refused in later revisions', async () => {
        for (const revision of ['2025-06-18', '2025-11-25']) {
          const late = await open(world.gateway.url, revision);
          const { status, messages } = await late.send('[{"jsonrpc":"2.0","id":1,"method":"ping"}]');
          if (name === 'Streamable HTTP') assert.equal(status, 400);
          assert.equal(messages[0]?.error?.code, INVALID_REQUEST);
          await works(late);
          await late.close();
        }
      });

      it('a message just under the limit passes', async () => {
        const text = 'x'.repeat(MAX_BODY - 1024);
        const { result } = await peer.request('tools/call', { name: 'good__echo', arguments: { text } });
        assert.equal(textOf(result).length, text.length);
      });
    });
  }
});
