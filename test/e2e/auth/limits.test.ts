/** Limits as clients meet them: 429 with Retry-After over HTTP, a typed error elsewhere, by role, tool, tenant and address. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { bearer, lockedGateway, SECRET, tokenFor } from '../../support/auth/tokens.js';
import { EventLog } from '../../support/event-log.js';
import { within } from '../../support/eventually.js';
import {
  fetchRaw,
  type HttpReply,
  initializeRequest,
  type Json,
  messagesIn,
  POST_HEADERS,
  type Wire,
} from '../../support/raw-http.js';

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

function dataOf(reply: HttpReply): Json {
  return (messagesIn(reply)[0]?.error?.data ?? {}) as Json;
}

describe('rate limits', () => {
  const world = lockedGateway(
    {
      auth: { mode: 'optional' },
      listen: { trustedProxies: ['10.0.0.0/8'] },
      limits: {
        roles: { user: 5, premium: 50, guest: 3 },
        tools: { 'good__*': 2 },
        tenants: { acme: 4 },
        failedLogins: 6,
      },
    },
    { JWT_SECRET: SECRET },
  );
  const at = (path: string): string => `${world.gateway.url}${path}`;

  async function session(
    headers: Record<string, string>,
    path = '/mcp',
  ): Promise<(message: object | string, more?: Record<string, string>) => Promise<HttpReply>> {
    const send = (body: string, more: Record<string, string> = {}): Promise<HttpReply> =>
      fetchRaw(at(path), { method: 'POST', headers: { ...POST_HEADERS, ...headers, ...more }, body });
    const opened = await send(JSON.stringify(initializeRequest('2025-11-25')));
    assert.equal(opened.status, 200, opened.body);
    const id = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    await send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }), id);
    return (message, more = {}) =>
      send(typeof message === 'string' ? message : JSON.stringify(message), { ...id, ...more });
  }

  it('of a role: the sixth request of a user is 429, notifications do not count, another user goes on', async () => {
    const post = await session(bearer(await tokenFor('u1'))); // 1: initialize
    for (let index = 0; index < 4; index += 1) assert.equal((await post(PING)).status, 200);
    for (let index = 0; index < 3; index += 1)
      assert.equal(
        (await post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } })).status,
        202,
      );
    const refused = await post(PING);
    assert.equal(refused.status, 429);
    assert.deepEqual(
      [dataOf(refused)['reason'], dataOf(refused)['limit'], dataOf(refused)['name']],
      ['rate_limited', 'role', 'user'],
    );
    const seconds = Number(refused.headers['retry-after']);
    assert.ok(seconds >= 1 && seconds <= 12, String(seconds));
    assert.equal(messagesIn(refused)[0]?.id, 1);
    assert.equal(
      (await post(PING, bearer(await tokenFor('u1')))).status,
      429,
      'another token of the subject changes nothing',
    );
    assert.equal((await (await session(bearer(await tokenFor('u2'))))(PING)).status, 200);
  });

  it('of a tool, by any endpoint; of a tenant, all its users together', async () => {
    const echo = (name: string): object => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: { text: 'x' } },
    });
    const headers = bearer(await tokenFor('caller', { role: 'premium' }));
    const [all, one] = [await session(headers), await session(headers, '/mcp/s/good')];
    assert.equal((await all(echo('good__echo'))).status, 200);
    assert.equal((await one(echo('echo'))).status, 200);
    const refused = await one(echo('echo'));
    assert.deepEqual([refused.status, dataOf(refused)['name']], [429, 'good__*']);
    assert.equal((await all(PING)).status, 200);
    const claims = { tenant: 'acme' };
    const [a, b] = [
      await session(bearer(await tokenFor('a', { role: 'premium', claims }))),
      await session(bearer(await tokenFor('b', { role: 'premium', claims }))),
    ];
    assert.deepEqual([(await a(PING)).status, (await b(PING)).status], [200, 200]);
    assert.deepEqual([(await b(PING)).status, dataOf(await a(PING))['limit']], [429, 'tenant']);
  });

  it('of guests: by the address of the socket, whatever X-Forwarded-For says', async () => {
    const spoofed = (index: number): Record<string, string> => ({ 'x-forwarded-for': `203.0.113.${index}` });
    const post = await session(spoofed(0));
    const statuses: number[] = [];
    for (let index = 1; index < 8; index += 1) statuses.push((await post(PING, spoofed(index))).status);
    assert.deepEqual(statuses, [200, 200, 429, 429, 429, 429, 429]);
  });

  it('on a WebSocket: a typed error with retryAfter, the connection goes on', async () => {
    const socket = new WebSocket(at('/mcp/ws').replace(/^http/, 'ws'), ['mcp'], {
      headers: bearer(await tokenFor('ws-user')),
    });
    const log = new EventLog<Wire>();
    socket.on('message', (data: Buffer) => log.push(JSON.parse(data.toString('utf8')) as Wire));
    await within(once(socket, 'open'), 'open');
    for (let id = 1; id <= 6; id += 1) socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }));
    const refused = await log.waitFor(({ id }) => id === 6, 'the answer to the sixth');
    const data = refused.error?.data as Json;
    assert.deepEqual([data['reason'], typeof data['retryAfter']], ['rate_limited', 'number']);
    assert.equal(log.items.filter(({ result }) => result !== undefined).length, 5);
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.terminate();
    const { limited } = (await world.gateway.status()).auth;
    assert.ok((limited.find(({ limit }) => limit === 'role:user')?.count ?? 0) >= 2);
  });

  it('of failed logins: after six from one address the next waits, who is known goes on', async () => {
    const known = await session(bearer(await tokenFor('known', { role: 'premium' })));
    const statuses: number[] = [];
    for (let index = 0; index < 8; index += 1)
      statuses.push(
        (
          await fetchRaw(at('/mcp'), {
            method: 'POST',
            headers: { ...POST_HEADERS, ...bearer(`x.y.${index}`) },
            body: PING,
          })
        ).status,
      );
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    assert.equal((await known(PING)).status, 200);
  });
});
