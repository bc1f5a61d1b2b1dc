/** The rules of modern HTTP by hand, and modern requests over a WebSocket that a legacy session has too. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { messagesIn, type Json } from '../../support/raw-http.js';
import { WebSocketPeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';
import {
  CAPABILITIES_KEY,
  MODERN,
  modernMessage,
  modernPost,
  modernRequest,
  VERSION_KEY,
  type ModernOptions,
} from './modern-http.js';
import { UpstreamDouble } from './upstream-double.js';

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
const REGION = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };
const NAMES = ['echo', 'hold', '__proto__', 'constructor', 'grüße-世界'];
const TOOLS = [
  ...NAMES.map((name) => ({ name, inputSchema: { type: 'object' } })),
  { name: 'regional', inputSchema: REGION },
];
const echo = (server: string, text: string): Json => ({ name: `${server}__echo`, arguments: { text } });
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('modern HTTP', () => {
  let gateway: Gateway;
  let legacy: UpstreamDouble;
  let modern: UpstreamDouble;

  before(async () => {
    legacy = await UpstreamDouble.start('legacy', { tools: TOOLS });
    modern = await UpstreamDouble.start('modern', { tools: TOOLS });
    const mcpServers = { legacy: { url: legacy.url }, modern: { url: modern.url } };
    gateway = await startGateway({ config: { mcpServers, gateway: settings() } });
    await gateway.waitForTools(['legacy__regional', 'modern__regional']);
  });
  after(async () => {
    await gateway.stop();
    await legacy.close();
    await modern.close();
  });

  async function refused(status: number, code: number, params: Json, options: ModernOptions, method = 'tools/call') {
    const reply = await modernPost(gateway.url, method, params, options);
    const [answer] = messagesIn(reply);
    assert.equal(reply.status, status, reply.body);
    assert.equal(answer?.error?.code, code, reply.body);
    return answer.error;
  }

  const params = echo('modern', 'x');
  const faults: readonly [string, Readonly<Record<string, string | undefined>>][] = [
    ['no MCP-Protocol-Version', { 'mcp-protocol-version': undefined }],
    ['another MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
    ['no Mcp-Method', { 'mcp-method': undefined }],
    ['another Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['no Mcp-Name', { 'mcp-name': undefined }],
    ['another Mcp-Name', { 'mcp-name': 'modern__hold' }],
    ['another Mcp-Name in base64', { 'mcp-name': base64('modern__hold') }],
    ['an Mcp-Name in broken base64', { 'mcp-name': '=?base64?%%%?=' }],
  ];
  for (const [what, headers] of faults) {
    it(`refuses ${what}: 400, -32020`, async () => {
      await refused(400, -32020, params, { headers });
    });
  }

  it('takes an Mcp-Name in base64', async () => {
    const headers = { 'mcp-name': base64('modern__echo') };
    assert.equal(textOf((await modernRequest(gateway.url, 'tools/call', params, { headers })).result), 'x');
  });

  for (const server of ['legacy', 'modern'] as const) {
    it(`holds Mcp-Param-* against the arguments (${server} server)`, async () => {
      const call = { name: `${server}__regional`, arguments: { region: 'süd', nonce: randomUUID() } };
      await refused(400, -32020, call, {});
      await refused(400, -32020, call, { headers: { 'mcp-param-region': 'nord' } });
      await refused(400, -32020, call, { headers: { 'mcp-param-region': base64('nord') } });
      const upstream = server === 'legacy' ? legacy : modern;
      const answer = modernRequest(gateway.url, 'tools/call', call, { headers: { 'mcp-param-region': base64('süd') } });
      const exchange = await upstream.call(call.arguments.nonce);
      if (server === 'modern') assert.equal(exchange.headers['mcp-param-region'], base64('süd'));
      exchange.text('there');
      assert.equal(textOf((await answer).result), 'there');
    });
  }

  it('has 404 and -32601 for methods that it does not know', async () => {
    await refused(404, -32601, {}, {}, 'no/such-method');
    await refused(404, -32601, {}, {}, 'ping');
  });

  it('has 400 and -32022 with a list for versions that it does not know', async () => {
    const headers = { 'mcp-protocol-version': '2099-01-01' };
    const error = await refused(400, -32022, params, { headers, meta: { [VERSION_KEY]: '2099-01-01' } });
    const { supported } = error.data as { supported: string[] };
    assert.ok(supported.includes(MODERN), String(supported));
  });

  it('has 400 and -32602 for an envelope that lacks something', async () => {
    await refused(400, -32602, params, { meta: { [CAPABILITIES_KEY]: undefined } });
    await refused(400, -32602, params, { meta: { [VERSION_KEY]: undefined } });
  });

  for (const server of ['legacy', 'modern'] as const) {
    it(`types its results, and says who it is (${server} server)`, async () => {
      const typed = async (method: string, given: Json, cached: boolean): Promise<Json> => {
        const { result = {} } = await modernRequest(gateway.url, method, given, { route: `/mcp/s/${server}` });
        assert.equal(result['resultType'], 'complete', method);
        assert.equal(((result['_meta'] as Json)[SERVER_INFO] as Json)['name'], 'viable', method);
        assert.equal(typeof result['ttlMs'], cached ? 'number' : 'undefined', method);
        assert.equal(['public', 'private'].includes(String(result['cacheScope'])), cached, method);
        return result;
      };
      assert.ok(((await typed('server/discover', {}, true))['supportedVersions'] as string[]).includes(MODERN));
      await typed('tools/list', {}, true);
      await typed('resources/list', {}, true);
      await typed('tools/call', { name: 'echo', arguments: { text: 'x' } }, false);
    });
  }

  it('gives a modern server its own names, in the body and in Mcp-Name', async () => {
    const nonce = randomUUID();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const call = { name: 'modern__hold', arguments: { nonce }, _meta: { traceparent } };
    const answer = modernRequest(gateway.url, 'tools/call', call, { capabilities: { sampling: {} } });
    const { headers, message } = await modern.call(nonce);
    assert.equal(headers['mcp-name'], 'hold');
    assert.equal(headers['mcp-method'], 'tools/call');
    assert.equal(headers['mcp-protocol-version'], MODERN);
    assert.equal(message.params?.['name'], 'hold');
    const meta = message.params['_meta'] as Json;
    assert.deepEqual(meta[CAPABILITIES_KEY], { sampling: {} });
    assert.equal(meta['traceparent'], traceparent);
    (await modern.call(nonce)).text('done');
    assert.equal(textOf((await answer).result), 'done');
  });

  for (const name of NAMES.slice(2)) {
    it(`calls a tool named ${name}`, async () => {
      for (const upstream of [legacy, modern]) {
        const nonce = randomUUID();
        const call = { name: `${upstream.era}__${name}`, arguments: { nonce } };
        const answer = modernRequest(gateway.url, 'tools/call', call);
        const exchange = await upstream.call(nonce);
        assert.equal(exchange.message.params?.['name'], name);
        exchange.text(nonce);
        assert.equal(textOf((await answer).result), nonce);
      }
    });
  }

  for (const server of ['legacy', 'modern'] as const) {
    it(`passes 10 MB whole (${server} server)`, async () => {
      const nonce = randomUUID();
      const text = 'é'.repeat(5 << 20);
      const answer = modernRequest(gateway.url, 'tools/call', { name: `${server}__hold`, arguments: { nonce } });
      (await (server === 'legacy' ? legacy : modern).call(nonce)).text(text);
      assert.ok(textOf((await answer).result) === text);
    });
  }

  it('serves both eras on one WebSocket, in turns and at once, under their own ids', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const both = async (server: string): Promise<void> => {
      const [old, young] = [randomUUID(), randomUUID()];
      const message = modernMessage('tools/call', echo(server, young), { id: `m-${young}` });
      const [modernAnswer, legacyAnswer] = await Promise.all([
        peer.exchange(message),
        peer.request('tools/call', echo(server, old), `l-${old}`),
      ]);
      assert.equal(textOf(modernAnswer.result), young);
      assert.equal(modernAnswer.result?.['resultType'], 'complete');
      assert.equal(textOf(legacyAnswer.result), old);
      assert.equal(legacyAnswer.result?.['resultType'], undefined);
    };
    for (const server of ['legacy', 'modern', 'legacy', 'modern']) await both(server);
    const nonce = randomUUID();
    const from = peer.messages.items.length;
    const hold = { name: 'legacy__hold', arguments: { nonce } };
    peer.socket.send(JSON.stringify(modernMessage('tools/call', hold, { id: 'held' })));
    const held = await legacy.call(nonce);
    const position = legacy.seen.items.length;
    await peer.notify('notifications/cancelled', { requestId: 'held' });
    const isCancelled = ({ message }: { message: { method?: string } }): boolean =>
      message.method === 'notifications/cancelled';
    const cancelled = await legacy.seen.waitFor(isCancelled, 'cancelled', position);
    assert.equal(cancelled.message.params?.['requestId'], held.message.id);
    await both('legacy');
    assert.equal(peer.messages.items.slice(from).filter(({ id }) => id === 'held').length, 0);
    await peer.close();
  });
});
