import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Remote } from '#src/stdio/remote.js';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly session: string | string[] | undefined;
  readonly body: string;
}

describe('stdio/remote', () => {
  let server: Server;
  let origin: string;
  let location: string;
  const seen: Seen[] = [];
  const remote = new Remote();

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method, url, headers } = request;
        seen.push({ method, url, session: headers['mcp-session-id'], body });
        if (url === '/mcp') response.writeHead(307, { location, connection: 'close' }).end();
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{"here":true}');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await remote.destroy();
    server.close();
  });
  beforeEach(() => {
    seen.length = 0;
  });

  async function text(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  }

  async function send(): Promise<{ status: number; messages: string[] }> {
    const messages: string[] = [];
    const { status } = await remote.send({
      method: 'POST',
      url: `${origin}/mcp`,
      headers: { 'mcp-session-id': 's' },
      body: '{"asked":true}',
      signal: new AbortController().signal,
      onMessage: (message) => {
        messages.push(message);
        return Promise.resolve();
      },
    });
    return { status, messages };
  }

  it('follows a gateway that hands over: the same request, once, on a new connection', async () => {
    location = '/elsewhere';
    assert.deepEqual(await send(), { status: 200, messages: ['{"here":true}'] });
    const same = { method: 'POST', session: 's', body: '{"asked":true}' };
    assert.deepEqual(seen, [
      { ...same, url: '/mcp' },
      { ...same, url: '/elsewhere' },
    ]);
  });

  it('goes round no circle, and to nobody else', async () => {
    for (const [to, requests] of [
      ['/mcp', 2],
      ['http://127.0.0.1:1/elsewhere', 1],
      ['https://example.com/mcp', 1],
    ] as const) {
      seen.length = 0;
      location = to;
      assert.equal((await send()).status, 307, to);
      assert.equal(seen.length, requests, to);
    }
  });
});
