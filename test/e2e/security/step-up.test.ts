/** Threat row "insufficient scope" with tokens: what a role may not is invisible to it, and a step-up names what is needed. */
import assert from 'node:assert/strict';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { eventually } from '../../support/eventually.js';
import {
  fetchRaw,
  type HttpReply,
  initializeRequest,
  type Json,
  messagesIn,
  POST_HEADERS,
} from '../../support/raw-http.js';

const rules = [
  { effect: 'allow', permissions: ['tools:add'], tools: ['good__add'] },
  { effect: 'allow', roles: ['admin'] },
  { effect: 'deny', tools: ['good__add', 'good__env'] },
];
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

describe('policy with tokens', () => {
  const world = lockedGateway({ policy: { rules } });

  const post = (token: string, message: object, more: Record<string, string> = {}): Promise<HttpReply> =>
    fetchRaw(`${world.gateway.url}/mcp`, {
      method: 'POST',
      headers: { ...POST_HEADERS, ...bearer(token), ...more },
      body: JSON.stringify(message),
    });

  /** Asks in a session of its own, and without one in the modern era. */
  async function ask(token: string, method: string, params: Json): Promise<Record<'legacy' | 'modern', HttpReply>> {
    const opened = await post(token, initializeRequest('2025-11-25'));
    const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const legacy = await post(token, { jsonrpc: '2.0', id: 1, method, params }, session);
    const name = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {};
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name };
    const modern = await post(token, { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }, headers);
    return { legacy, modern };
  }

  const add = { name: 'good__add', arguments: { a: 1, b: 2 } };

  it('roles and permissions decide what is listed, in both eras; no cache may share it', async () => {
    const names = async (token: string): Promise<string[]> => {
      const lists = Object.values(await ask(token, 'tools/list', {})).map((reply) =>
        (messagesIn(reply)[0]?.result?.['tools'] as Json[]).map((tool) => String(tool['name'])),
      );
      assert.deepEqual(lists[0], lists[1]);
      return (lists[0] ?? []).filter((tool) => ['good__add', 'good__env', 'good__echo'].includes(tool));
    };
    const user = await tokenFor('u', { role: 'user' });
    await eventually(async () => assert.deepEqual(await names(user), ['good__echo']));
    assert.deepEqual(await names(await tokenFor('p', { role: 'user', permissions: ['tools:add'] })), [
      'good__add',
      'good__echo',
    ]);
    assert.deepEqual(await names(await tokenFor('a', { role: 'admin' })), ['good__add', 'good__echo', 'good__env']);
    const { modern } = await ask(user, 'tools/list', {});
    assert.equal(messagesIn(modern)[0]?.result?.['cacheScope'], 'private');
  });

  it('403 names the permission that is missing, and with it the call is made', async () => {
    for (const reply of Object.values(await ask(await tokenFor('u', { role: 'user' }), 'tools/call', add))) {
      assert.equal(reply.status, 403);
      const challenge = String(reply.headers['www-authenticate']);
      assert.match(challenge, /^Bearer .*error="insufficient_scope".*scope="tools:add"/);
      // RFC 9728: where the client reads whom to ask for more.
      const metadata = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
      assert.equal(metadata, `${world.gateway.url}/.well-known/oauth-protected-resource/mcp`);
      assert.equal((JSON.parse((await fetchRaw(metadata)).body) as Json)['resource'], `${world.gateway.url}/mcp`);
      assert.equal((messagesIn(reply)[0]?.error?.data as Json)['reason'], 'insufficient_scope');
    }
    const stepped = await tokenFor('u', { role: 'user', permissions: ['tools:add'] });
    for (const reply of Object.values(await ask(stepped, 'tools/call', add))) {
      assert.equal(reply.status, 200);
      assert.equal(messagesIn(reply)[0]?.error, undefined, reply.body);
    }
  });

  it('what no permission gives does not exist', async () => {
    const user = await tokenFor('u', { role: 'user' });
    for (const reply of Object.values(await ask(user, 'tools/call', { name: 'good__env', arguments: {} })))
      assert.equal((messagesIn(reply)[0]?.error?.data as Json)['reason'], 'unknown_tool', reply.body);
  });
});
