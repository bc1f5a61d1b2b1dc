/** What stays open ends with its token, by time or by revocation, after a notice; a newer token of the same subject keeps it. */
import assert from 'node:assert/strict';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { TOKEN_PEERS } from '../../support/auth/peers.js';
import { within } from '../../support/eventually.js';
import {
  fetchRaw,
  initializeRequest,
  type Json,
  POST_HEADERS,
  type SseStream,
  SseStream as Stream,
} from '../../support/raw-http.js';
import { ModernStream } from '../eras/modern-http.js';

/** Seconds that a short token lasts. */
const SHORT = 3;
const CLOSE_CODES: Readonly<Record<string, number>> = { WebSocket: 1008, Phoenix: 1008, 'HTTP+SSE': 0 };
/** The catalogue has no such resource; the gateway's own lists are enough to keep a stream open. */
const LISTS = { notifications: { toolsListChanged: true } };

describe('the end of a token', () => {
  const world = lockedGateway({ limits: { failedLogins: 10_000 } });
  const base = (): string => world.gateway.url;
  const revoke = async (args: Json): Promise<void> => {
    await world.gateway.admin('send', { actor: '/admission/authenticator', message: 'revoke', args });
  };

  for (const { name, open } of TOKEN_PEERS) {
    it(`${name}: a notice and the end; who has renewed in band goes on past it, until a revocation`, async () => {
      const short = await tokenFor('ada', { exp: SHORT });
      const newer = await tokenFor('ada');
      const [left, stays] = [await open(base(), short), await open(base(), short)];
      await stays.renew(newer);
      await left.notices.waitFor((state) => state === 'expired', 'expired');
      assert.equal(await within(left.closed, 'the end'), CLOSE_CODES[name]);
      assert.ok((await stays.request('ping')).result, 'past the end of its first token');
      assert.ok(!stays.notices.items.includes('expired'));
      await revoke({ token: newer });
      await stays.notices.waitFor((state) => state === 'revoked', 'revoked');
      assert.equal(await within(stays.closed, 'the end'), CLOSE_CODES[name]);
    });

    it(`${name}: a minute before the end it is told so`, async () => {
      const peer = await open(base(), await tokenFor('bea', { exp: 62 }));
      await peer.notices.waitFor((state) => state === 'expiring', 'expiring');
      assert.ok((await peer.request('ping')).result, 'it goes on meanwhile');
      peer.close();
    });
  }

  const post = (token: string, message: object, session: Record<string, string> = {}) =>
    fetchRaw(`${base()}/mcp`, {
      method: 'POST',
      headers: { ...POST_HEADERS, ...session, ...bearer(token) },
      body: JSON.stringify(message),
    });

  async function session(token: string): Promise<{ id: Record<string, string>; stream: SseStream }> {
    const opened = await post(token, initializeRequest('2025-11-25'));
    assert.equal(opened.status, 200, opened.body);
    const id = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    await post(token, { jsonrpc: '2.0', method: 'notifications/initialized' }, id);
    return { id, stream: await Stream.open(`${base()}/mcp`, { ...id, ...bearer(token) }) };
  }
  const noticed = (stream: SseStream, state: string): Promise<unknown> =>
    stream.events.waitFor(({ event, data }) => event === 'credential' && data.includes(`"${state}"`), state);
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  it('GET stream: a notice and its end, the session stays; a request with a newer token keeps the stream', async () => {
    const short = await tokenFor('cleo', { exp: SHORT });
    const newer = await tokenFor('cleo');
    const [left, stays] = [await session(short), await session(short)];
    assert.equal((await post(newer, ping, stays.id)).status, 200);
    await noticed(left.stream, 'expired');
    await within(left.stream.ended, 'the end of the stream');
    assert.equal((await post(short, ping, left.id)).status, 401);
    assert.equal((await post(newer, ping, left.id)).status, 200, 'the session is there for a newer token');
    const again = await Stream.open(`${base()}/mcp`, { ...left.id, ...bearer(newer) });
    assert.equal(again.status, 200);
    // Past the end of the first token the other stream is still there: it hears of the revocation.
    await revoke({ token: newer });
    await noticed(stays.stream, 'revoked');
    await within(stays.stream.ended, 'the end of the stream');
    await within(again.ended, 'the end of the stream');
  });

  it('GET stream: a minute before the end it is told so', async () => {
    const { stream } = await session(await tokenFor('dora', { exp: 62 }));
    await noticed(stream, 'expiring');
    stream.close();
  });

  it('subscriptions/listen: the stream ends with its result, by time and by revocation', async () => {
    const listen = async (token: string): Promise<ModernStream> => {
      const stream = await ModernStream.open(base(), 'subscriptions/listen', LISTS, {
        id: 'l',
        headers: bearer(token),
      });
      const first = await stream.messages.waitFor(() => true, 'the acknowledgement');
      assert.equal(first.method, 'notifications/subscriptions/acknowledged');
      return stream;
    };
    const [short, long] = [await tokenFor('eva', { exp: SHORT }), await tokenFor('eva')];
    const [left, stays] = [await listen(short), await listen(long)];
    const end = await left.messages.waitFor(({ result }) => result !== undefined, 'the result');
    assert.equal(end.id, 'l');
    await within(left.ended, 'the end of the stream');
    assert.equal(stays.messages.items.filter(({ result }) => result !== undefined).length, 0);
    await revoke({ subject: 'eva' });
    await stays.messages.waitFor(({ result }) => result !== undefined, 'the result');
    await within(stays.ended, 'the end of the stream');
  });
});
