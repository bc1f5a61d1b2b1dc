/** Logging in on WebSocket, Phoenix and SSE with real clients; what ends, what renews, what a ticket opens. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { EventSource } from 'eventsource';
import { Socket } from 'phoenix';
import WebSocket from 'ws';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { EventLog } from '../../support/event-log.js';
import { within } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { fetchRaw, initializeRequest, type Json, type Wire } from '../../support/raw-http.js';

const ECHO = { name: 'good__echo', arguments: { text: 'hello' } };

describe('authentication on every transport', () => {
  const world = lockedGateway({ limits: { failedLogins: 10_000 } });
  const at = (path: string): string => `${world.gateway.url}${path}`;
  const ws = (path: string): string => at(path).replace(/^http/, 'ws');

  /** Resolves with the status of the refusal, or 101. */
  async function upgrade(
    path: string,
    protocols: string[] = [],
    headers: Record<string, string> = {},
  ): Promise<number> {
    const socket = new WebSocket(ws(path), protocols, { headers });
    socket.on('error', () => undefined);
    const status = new Promise<number>((resolve) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    });
    const seen = await within(status, path);
    socket.terminate();
    return seen;
  }

  it('the official clients of both eras call a tool with a token, and none without', async () => {
    const requestInit = { headers: bearer(await tokenFor('sdk')) };
    const client = new Client({ name: 'v1', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(at('/mcp')), { requestInit }));
    assert.equal(textOf((await client.callTool(ECHO)) as Json), 'hello');
    await client.close();
    const modern = new ModernClient({ name: 'v2', version: '1' });
    await modern.connect(new ModernTransport(new URL(at('/mcp')), { requestInit }));
    assert.equal(textOf((await modern.callTool(ECHO)) as Json), 'hello');
    await modern.close();
    const stranger = new Client({ name: 'v1', version: '1' });
    await assert.rejects(stranger.connect(new StreamableHTTPClientTransport(new URL(at('/mcp')))));
  });

  it('WebSocket: by header, subprotocol, address or ticket; 401 without', async () => {
    const token = await tokenFor('ws');
    assert.equal(await upgrade('/mcp/ws'), 401);
    assert.equal(await upgrade('/mcp/ws', ['mcp'], bearer(token)), 101);
    assert.equal(await upgrade('/mcp/ws', ['mcp', `bearer.${token}`]), 101);
    assert.equal(await upgrade(`/mcp/ws?token=${token}`, ['mcp']), 101);
    assert.equal(await upgrade('/mcp/ws', ['mcp', `bearer.${token}x`]), 401);
    assert.equal(await upgrade(`/mcp/ws?token=${token}`, ['mcp'], bearer(token)), 401);
    const ticket = await ticketFor(token);
    assert.equal(await upgrade(`/mcp/ws?ticket=${ticket}`, ['mcp']), 101);
    assert.equal(await upgrade(`/mcp/ws?ticket=${ticket}`, ['mcp']), 401, 'a ticket opens one door');
  });

  it('SSE: an EventSource by header, by address, by ticket; its messages by header', async () => {
    const token = await tokenFor('sse');
    for (const query of [`?token=${token}`, `?ticket=${await ticketFor(token)}`]) {
      const source = new EventSource(at(`/mcp/sse${query}`));
      const endpoint = await within(
        new Promise<string>((resolve, reject) => {
          source.addEventListener('endpoint', (event) => resolve(String(event.data)));
          source.onerror = (error) => reject(new Error(error.message));
        }),
        'the endpoint event',
      );
      const body = JSON.stringify(initializeRequest('2024-11-05'));
      const headers = { 'content-type': 'application/json' };
      assert.equal((await fetchRaw(at(endpoint), { method: 'POST', headers, body })).status, 401);
      const eve = { ...headers, ...bearer(await tokenFor('eve')) };
      assert.equal((await fetchRaw(at(endpoint), { method: 'POST', headers: eve, body })).status, 404);
      const answered = within(
        new Promise<void>((resolve) => source.addEventListener('message', () => resolve())),
        'the answer',
      );
      assert.equal(
        (await fetchRaw(at(endpoint), { method: 'POST', headers: { ...headers, ...bearer(token) }, body })).status,
        202,
      );
      await answered;
      source.close();
    }
    assert.equal((await fetchRaw(at('/mcp/sse?token=x'))).status, 401);
  });

  it('Phoenix: the client of the seed joins as who it is; without a good token the join says why', async () => {
    const join = async (params: Json, payload: Json = {}): Promise<[string, Json]> => {
      const socket = new Socket(ws('/mcp/ws'), { transport: WebSocket, params });
      socket.connect();
      const joined = new Promise<[string, Json]>((resolve) => {
        socket
          .channel('mcp:gateway', payload)
          .join()
          .receive('ok', (answer) => resolve(['ok', answer]))
          .receive('error', (answer) => resolve(['error', answer]));
      });
      const result = await within(joined, 'the join');
      await new Promise<void>((resolve) => socket.disconnect(() => resolve()));
      return result;
    };
    const token = await tokenFor('ada', { role: 'premium' });
    const [status, answer] = await join({ token });
    assert.deepEqual([status, answer['user_id'], answer['role']], ['ok', 'ada', 'premium']);
    assert.deepEqual((await join({ token: 'x.y.z' }))[0], 'error');
    assert.equal(typeof (await join({ token: 'x.y.z' }))[1]['reason'], 'string');
    assert.equal((await join({}))[0], 'error');
    const [late, who] = await join({}, { token });
    assert.deepEqual([late, who['user_id']], ['ok', 'ada'], 'a token of the join counts as well');
  });

  it('a WebSocket is closed with 1008 and a notice when its token ends, unless it was renewed in band', async () => {
    const short = await tokenFor('ada', { exp: 3 });
    const [left, stays, other] = [await connect(short), await connect(short), await connect(short)];
    stays.say({ method: 'notifications/viable/authenticate', params: { token: await tokenFor('ada') } });
    other.say({ method: 'notifications/viable/authenticate', params: { token: await tokenFor('eve') } });
    assert.equal(await stays.state(), 'renewed');
    assert.equal(await other.state(), 'refused');
    assert.equal(await left.state(), 'expired');
    assert.equal(await within(left.closed, 'close'), 1008);
    assert.equal(await within(other.closed, 'close'), 1008);
    stays.say({ id: 7, method: 'ping' });
    await stays.log.waitFor(({ id }) => id === 7, 'the answer to a ping');
    stays.socket.terminate();
  });

  it('a revocation ends at once what is open, and what was remembered', async () => {
    const [token, kept] = [await tokenFor('mallory'), await tokenFor('ada')];
    const [gone, stays] = [await connect(token), await connect(kept)];
    await world.gateway.admin('send', { actor: '/admission/authenticator', message: 'revoke', args: { token } });
    assert.equal(await gone.state(), 'revoked');
    assert.equal(await within(gone.closed, 'close'), 1008);
    assert.equal(await upgrade('/mcp/ws', ['mcp'], bearer(token)), 401);
    stays.say({ id: 8, method: 'ping' });
    await stays.log.waitFor(({ id }) => id === 8, 'the answer to a ping');
    await world.gateway.admin('send', {
      actor: '/admission/authenticator',
      message: 'revoke',
      args: { subject: 'ada' },
    });
    assert.equal(await within(stays.closed, 'close'), 1008);
    assert.equal(await upgrade('/mcp/ws', ['mcp'], bearer(kept)), 401);
  });

  async function ticketFor(token: string): Promise<string> {
    const reply = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: bearer(token) });
    return (JSON.parse(reply.body) as { ticket: string }).ticket;
  }

  async function connect(token: string) {
    const socket = new WebSocket(ws('/mcp/ws'), ['mcp'], { headers: bearer(token) });
    const log = new EventLog<Wire>();
    socket.on('message', (data: Buffer) => log.push(JSON.parse(data.toString('utf8')) as Wire));
    socket.on('error', () => undefined);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await within(once(socket, 'open'), 'open');
    return {
      socket,
      log,
      closed,
      say: (message: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message })),
      state: async (): Promise<unknown> =>
        (await log.waitFor(({ method }) => method === 'notifications/viable/credential', 'a notice', 0)).params?.[
          'state'
        ],
    };
  }
});
