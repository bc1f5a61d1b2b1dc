import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createStreamableHttpTransport, type HttpOptions } from '#src/transports/outbound/streamable-http.js';
import type { OutboundTransport } from '#src/transports/outbound/transport.js';
import { HttpFixture, type Exchange } from '../../support/outbound/http-fixture.js';
import { ManualClock } from '../../support/outbound/manual-clock.js';
import { notification, patient, Recorder, request } from '../../support/outbound/recorder.js';

const SECRET = 'S3CRET';

describe('Streamable HTTP transport', () => {
  let fixture: HttpFixture;
  let recorder: Recorder;
  let clock: ManualClock;
  let transport: OutboundTransport;

  beforeEach(async () => {
    fixture = await HttpFixture.start();
    recorder = new Recorder();
    clock = new ManualClock();
    transport = await open();
  });

  afterEach(async () => {
    await transport.close(0);
    await fixture.stop();
    assert.deepEqual(recorder.violations, []);
    for (const [, error] of recorder.failures) assert.doesNotMatch(error.message, new RegExp(SECRET));
  });

  async function open(options: Partial<HttpOptions> = {}): Promise<OutboundTransport> {
    const url = new URL(`${fixture.url}?key=${SECRET}`);
    const headers = { Authorization: `Bearer ${SECRET}`, 'X-Own': 'yes', Accept: 'nothing' };
    const created = recorder.watch(createStreamableHttpTransport({ url, headers, clock, ...options }, recorder));
    assert.equal(await created.open(patient), undefined);
    return created;
  }

  function seen(method: string): Exchange[] {
    return fixture.seen.filter((exchange) => exchange.request.method === method);
  }

  function saying(status: number, headers: Record<string, string>, body = ''): void {
    fixture.override = ({ response }) => {
      response.writeHead(status, headers).end(body);
      return true;
    };
  }

  async function failure(id: number): Promise<{ kind: string; message: string; status?: number; unsent?: boolean }> {
    const ending = await recorder.ending(id);
    assert.equal(ending.kind, 'failed');
    return ending.error;
  }

  /** Answers `initialize` with a session id, everything else as before. */
  async function initialize(): Promise<void> {
    fixture.override = ({ response, message }) => {
      if (message?.['method'] !== 'initialize') return false;
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message['id'], result: {} }));
      return true;
    };
    transport.send(request(0, 'initialize'));
    await recorder.result(0);
    transport.setProtocolVersion('2025-11-25');
  }

  describe('headers', () => {
    it('accepts both answer forms and sends configured headers, its own ones unchanged', async () => {
      transport.send(request(1, 'echo'));
      await recorder.result(1);
      const [first] = fixture.seen;
      assert.equal(first?.request.url, `/mcp?key=${SECRET}`);
      const { headers } = first.request;
      assert.equal(headers.accept, 'application/json, text/event-stream');
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers.authorization, `Bearer ${SECRET}`);
      assert.equal(headers['x-own'], 'yes');
      assert.equal(headers['mcp-session-id'], undefined);
      assert.equal(headers['mcp-protocol-version'], undefined);
    });

    it('repeats the session id and the protocol version once it has them', async () => {
      await initialize();
      transport.send(request(1, 'echo'));
      await recorder.result(1);
      const headers = fixture.seen.at(-1)?.request.headers;
      assert.equal(headers?.['mcp-session-id'], 'session-1');
      assert.equal(headers['mcp-protocol-version'], '2025-11-25');
    });

    it('turns user info into Basic credentials', async () => {
      const url = fixture.url.replace('//', '//us%20er:p%C3%A4ss@');
      const plain = await open({ url, headers: {} });
      plain.send(request(1, 'echo'));
      await recorder.result(1);
      const expected = Buffer.from('us er:päss').toString('base64');
      assert.equal(fixture.seen[0]?.request.headers.authorization, `Basic ${expected}`);
      await plain.close(0);
    });

    for (const [what, options] of [
      ['a header name', { headers: { 'bad name': SECRET } }],
      ['a header value', { headers: { name: `${SECRET}\r\n` } }],
      ['a scheme', { url: `ftp://${SECRET}@host/` }],
      ['a URL', { url: SECRET }],
    ] as const) {
      it(`reports ${what} that HTTP does not allow, without its content`, async () => {
        const created = createStreamableHttpTransport({ url: fixture.url, ...options }, recorder);
        const error = await created.open(patient);
        assert.equal(error?.kind, 'connect_failed');
        assert.doesNotMatch(error.message, new RegExp(SECRET));
        await created.close(0);
      });
    }
  });

  describe('statuses', () => {
    for (const status of [401, 403]) {
      it(`reports ${status} as unauthorized`, async () => {
        saying(status, { 'www-authenticate': 'Bearer' });
        transport.send(request(1, 'echo'));
        const error = await failure(1);
        assert.equal(error.kind, 'unauthorized');
        assert.equal(error.status, status);
      });
    }

    it('follows no redirect', async () => {
      saying(307, { location: `/elsewhere?key=${SECRET}` });
      transport.send(request(1, 'echo'));
      assert.match((await failure(1)).message, /redirects to .*\/elsewhere\?\*\*\*/);
      assert.equal(fixture.seen.length, 1);
    });

    it('takes a JSON-RPC error that names the request for its answer', async () => {
      saying(
        400,
        { 'content-type': 'application/json' },
        '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"x"}}',
      );
      transport.send(request(1, 'echo'));
      const ending = await recorder.ending(1);
      assert.ok(ending.kind === 'answer' && 'error' in ending.message);
      assert.equal(ending.message.error.code, -32602);
    });

    it('quotes a JSON-RPC error that names no request', async () => {
      const body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too \\u001b[1mbusy"}}';
      saying(503, { 'content-type': 'application/json' }, body);
      transport.send(request(1, 'echo'));
      const error = await failure(1);
      assert.equal(error.kind, 'http_status');
      assert.equal(error.status, 503);
      assert.match(error.message, /answered 503: too busy$/);
    });

    it('quotes plain text, and of a page in HTML nothing', async () => {
      saying(500, { 'content-type': 'text/plain' }, 'out of memory');
      transport.send(request(1, 'echo'));
      assert.match((await failure(1)).message, /answered 500: out of memory$/);
      saying(500, { 'content-type': 'text/html' }, '<html>');
      transport.send(request(2, 'echo'));
      assert.match((await failure(2)).message, /answered 500$/);
    });

    it('does not read an endless error body', async () => {
      fixture.override = ({ response }) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        const pour = (): void => {
          if (!response.destroyed) response.write('x'.repeat(65_536), pour);
        };
        pour();
        return true;
      };
      transport.send(request(1, 'echo'));
      assert.equal((await failure(1)).status, 500);
    });

    for (const [what, status, headers, body] of [
      ['an empty 202', 202, {}, ''],
      ['a web page', 200, { 'content-type': 'text/html' }, '<html>'],
      ['broken JSON', 200, { 'content-type': 'application/json' }, '{"jsonrpc":'],
      [
        'an answer to another request',
        200,
        { 'content-type': 'application/json' },
        '{"jsonrpc":"2.0","id":7,"result":{}}',
      ],
    ] as const) {
      it(`fails a request that gets ${what}`, async () => {
        saying(status, headers, body);
        transport.send(request(1, 'echo'));
        assert.equal((await failure(1)).kind, 'protocol');
      });
    }

    it('says that a request was not sent when the server is gone by then', async () => {
      await fixture.stop();
      transport.send(request(1, 'echo'));
      await recorder.ending(1);
      transport.send(request(2, 'echo'));
      const error = await failure(2);
      assert.equal(error.kind, 'connect_failed');
      assert.equal(error.unsent, true);
    });
  });

  describe('session', () => {
    it('ends with the session: the request fails, then the transport', async () => {
      await initialize();
      fixture.override = ({ response, message }) => {
        if (message?.['method'] === 'silent') return false;
        response.writeHead(404).end();
        return true;
      };
      transport.send(request(1, 'silent'));
      transport.send(request(2, 'echo'));
      assert.equal((await recorder.closed()).kind, 'session_lost');
      assert.deepEqual(
        recorder.failures.map(([id, { kind }]) => [id, kind]),
        [[2, 'session_lost']],
      );
      await transport.close(1_000);
      assert.equal(recorder.closings.length, 1);
      assert.equal(seen('DELETE').length, 0);
    });

    it('doubts the server that refuses what is of the session, not what stands alone', async () => {
      await initialize();
      saying(
        400,
        { 'content-type': 'application/json' },
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":""}}',
      );
      transport.send(request(1, 'echo'), { 'mcp-method': 'echo' });
      assert.equal((await failure(1)).status, 400);
      assert.equal(recorder.doubts, 0);
      transport.send(request(2, 'echo'));
      assert.equal((await failure(2)).status, 400);
      assert.equal(recorder.doubts, 1);
      saying(404, {});
      transport.send(request(3, 'echo'), { 'mcp-method': 'echo' });
      assert.equal((await failure(3)).kind, 'http_status');
      assert.deepEqual(recorder.closings, [], 'the session is not what was refused');
    });

    it('takes 404 without a session for a status like others', async () => {
      saying(404, {});
      transport.send(request(1, 'echo'));
      assert.equal((await failure(1)).kind, 'http_status');
      assert.deepEqual(recorder.closings, []);
    });

    it('lets the server hear what was said last before it closes, and does not wait for ever', async () => {
      for (const answers of [true, false]) {
        const held: ServerResponse[] = [];
        const single = await open();
        fixture.override = ({ response }) => held.push(response) > 0;
        single.send(notification(`last/words-${answers}`));
        let closed = false;
        const closing = single.close(5_000).then(() => (closed = true));
        const response = await fixture.until(() => held[0]);
        await new Promise(setImmediate);
        assert.equal(closed, false);
        if (answers) response.writeHead(202).end();
        else clock.advance(1_000);
        await closing;
        assert.equal(fixture.seen.at(-1)?.message?.['method'], `last/words-${answers}`);
      }
    });

    it('deletes the session on close', async () => {
      await initialize();
      await transport.close(1_000);
      const [goodbye] = seen('DELETE');
      assert.equal(goodbye?.request.headers['mcp-session-id'], 'session-1');
    });

    it('does not wait longer than the grace for the deletion', async () => {
      await initialize();
      fixture.override = ({ request: { method } }) => method === 'DELETE';
      const closing = transport.close(1_000);
      await fixture.until(() => seen('DELETE')[0]);
      clock.advance(1_000);
      await closing;
      assert.equal(recorder.closings.length, 1);
    });

    it('ignores a session id with forbidden characters', async () => {
      saying(
        200,
        { 'content-type': 'application/json', 'mcp-session-id': 'a b' },
        '{"jsonrpc":"2.0","id":1,"result":{}}',
      );
      transport.send(request(1, 'initialize'));
      await recorder.result(1);
      await transport.close(1_000);
      assert.equal(seen('DELETE').length, 0);
    });

    it('sends nothing behind notifications/initialized before the server took it', async () => {
      let accept: ServerResponse | undefined;
      fixture.override = ({ response, message }) => {
        if (message?.['method'] !== 'notifications/initialized') return false;
        accept = response;
        return true;
      };
      transport.send(notification('notifications/initialized'));
      transport.send(request(1, 'echo'));
      transport.send(request(2, 'echo'));
      transport.abandon(2);
      transport.listen();
      const response = await fixture.until(() => accept);
      assert.equal(fixture.seen.length, 1);
      response.writeHead(202).end();
      await recorder.result(1);
      await fixture.until(() => seen('GET')[0]);
      assert.equal(fixture.seen.length, 3);
    });
  });

  describe('streams', () => {
    function stream(response: ServerResponse, text: string): ServerResponse {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(text);
      return response;
    }

    it('resumes a stream that ended before the answer, after the time the server asked for', async () => {
      fixture.override = ({ request: { method, headers }, response }) => {
        if (method === 'POST') stream(response, 'id: e1\nretry: 250\ndata:\n\n').end();
        else if (headers['last-event-id'] === 'e1') stream(response, 'id: e2\ndata:\n\n').end();
        else stream(response, 'data: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n').end();
        return true;
      };
      transport.send(request(1, 'echo'));
      for (let poll = 0; poll < 2; poll++) {
        await clock.set(250);
        clock.advance(250);
      }
      assert.deepEqual(await recorder.result(1), { late: true });
      assert.deepEqual(
        seen('GET').map((exchange) => exchange.request.headers['last-event-id']),
        ['e1', 'e2'],
      );
      assert.equal(seen('POST').length, 1);
    });

    it('gives up after a number of resumptions that brought nothing', async () => {
      fixture.override = ({ request: { method }, response }) => {
        if (method === 'POST') stream(response, 'id: e1\nretry: 100\ndata:\n\n').end();
        else response.writeHead(503).end();
        return true;
      };
      transport.send(request(1, 'echo'));
      for (const wait of [100, 200, 400, 800, 1_600]) {
        await clock.set(wait);
        clock.advance(wait);
      }
      assert.equal((await failure(1)).kind, 'closed');
      assert.equal(seen('GET').length, 5);
    });

    it('fails at once when the server cannot resume', async () => {
      fixture.override = ({ request: { method }, response }) => {
        if (method === 'GET') return false;
        stream(response, 'id: e1\ndata:\n\n').end();
        return true;
      };
      transport.send(request(1, 'echo'));
      await clock.set(1_000);
      clock.advance(1_000);
      assert.equal((await failure(1)).status, 405);
    });

    it('fails a request whose stream ended and has no event ids', async () => {
      fixture.override = ({ response }) => {
        stream(response, 'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n').end();
        return true;
      };
      transport.send(request(1, 'echo'));
      assert.equal((await failure(1)).kind, 'closed');
      assert.equal(recorder.messages.length, 1);
    });

    it('closes the stream of an abandoned request, and forgets a resumption it waits for', async () => {
      fixture.override = ({ response, message }) => {
        stream(response, message?.['id'] === 1 ? ':\n\n' : 'id: e1\ndata:\n\n');
        if (message?.['id'] === 2) response.end();
        return true;
      };
      transport.send(request(1, 'echo'));
      const [first] = await fixture.until(() => (fixture.seen.length === 1 ? fixture.seen : undefined));
      const closed = new Promise((resolve) => first?.response.once('close', resolve));
      transport.abandon(1);
      await closed;
      transport.send(request(2, 'echo'));
      await clock.set(1_000);
      transport.abandon(2);
      assert.deepEqual(clock.waits, []);
    });

    it('takes back the connection of a stream that stays open after the answer', async () => {
      fixture.override = ({ response, message }) => {
        stream(response, `data: {"jsonrpc":"2.0","id":${String(message?.['id'])},"result":{}}\n\n`);
        return true;
      };
      transport.send(request(1, 'echo'));
      await recorder.result(1);
      const closed = new Promise((resolve) => fixture.seen[0]?.response.once('close', resolve));
      clock.advance(5_000);
      transport.send(request(2, 'echo'));
      await recorder.result(2);
      clock.advance(5_000);
      await closed;
      assert.equal(fixture.seen[1]?.response.writableEnded, false);
      assert.equal(fixture.seen[1].response.destroyed, false);
    });

    it('takes back the connection of a notification that is answered by an endless body', async () => {
      fixture.override = ({ response, message }) => {
        if (message?.['id'] !== undefined) return false;
        stream(response, ':\n\n');
        return true;
      };
      transport.send(notification('notifications/initialized'));
      transport.send(request(1, 'echo'));
      await recorder.result(1);
      const closed = new Promise((resolve) => fixture.seen[0]?.response.once('close', resolve));
      clock.advance(10_000);
      await closed;
      assert.deepEqual(clock.waits, []);
    });

    it('resumes from an id outside ASCII, and does not resume from one that HTTP cannot carry', async () => {
      let id = 'ä€';
      fixture.override = ({ request: { method }, response }) => {
        if (method === 'POST') stream(response, `id: ${id}\ndata:\n\n`).end();
        else stream(response, 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n').end();
        return true;
      };
      transport.send(request(1, 'echo'));
      await clock.set(1_000);
      clock.advance(1_000);
      await recorder.result(1);
      const header = seen('GET')[0]?.request.headers['last-event-id'];
      assert.equal(Buffer.from(String(header), 'latin1').toString(), id);
      id = 'a\u0001b';
      transport.send(request(2, 'echo'));
      assert.equal((await failure(2)).kind, 'closed');
    });

    it('passes answers to the server while every connection waits for one', async () => {
      const single = await open({ connections: 1 });
      let waiting: ServerResponse | undefined;
      fixture.override = ({ response, message }) => {
        if (message?.['method'] === 'tools/call') {
          waiting = stream(response, 'data: {"jsonrpc":"2.0","id":9,"method":"sampling/createMessage"}\n\n');
          return true;
        }
        if (message?.['result'] === undefined) return false;
        response.writeHead(202).end();
        if (waiting !== undefined) stream(waiting, 'data: {"jsonrpc":"2.0","id":1,"result":{"ok":1}}\n\n').end();
        return true;
      };
      single.send(request(1, 'tools/call'));
      await recorder.until(() => recorder.messages[0]);
      single.send({ jsonrpc: '2.0', id: 9, result: {} });
      assert.deepEqual(await recorder.result(1), { ok: 1 });
      await single.close(0);
    });
  });

  describe('listening', () => {
    it('takes 405 for an answer and does not ask again', async () => {
      fixture.override = ({ request: { method }, response }) => {
        if (method !== 'GET') return false;
        response.writeHead(405).end();
        return true;
      };
      transport.listen();
      transport.listen();
      await fixture.until(() => seen('GET')[0]);
      transport.send(request(1, 'echo'));
      await recorder.result(1);
      assert.deepEqual(clock.waits, []);
      assert.equal(seen('GET').length, 1);
      assert.equal(recorder.doubts, 0, 'many servers have no such stream');
    });

    it('brings messages and comes back after a drop, later and later, from the last event', async () => {
      const streams: ServerResponse[] = [];
      fixture.override = ({ request: { method }, response }) => {
        if (method !== 'GET') return false;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        streams.push(response);
        return true;
      };
      const next = (count: number): Promise<ServerResponse> => fixture.until(() => streams[count]);
      transport.listen();
      const first = await next(0);
      first.write('id: 41\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
      await recorder.until(() => recorder.messages[0]);
      first.destroy();
      await clock.set(1_000);
      clock.advance(1_000);
      (await next(1)).destroy();
      await clock.set(2_000);
      clock.advance(2_000);
      const third = await next(2);
      third.end('retry: 300\nid: 42\ndata: {"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}\n\n');
      await recorder.until(() => recorder.messages[1]);
      await clock.set(300);
      clock.advance(300);
      await next(3);
      assert.deepEqual(
        seen('GET').map((exchange) => exchange.request.headers['last-event-id']),
        [undefined, '41', '41', '42'],
      );
    });

    it('doubts the server that had the stream and refuses it now', async () => {
      let gets = 0;
      fixture.override = ({ request: { method }, response }) => {
        if (method !== 'GET') return false;
        if (gets++ > 0) response.writeHead(405).end();
        else response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
        return true;
      };
      transport.listen();
      await clock.set(1_000);
      clock.advance(1_000);
      await recorder.until(() => recorder.doubts || undefined);
    });

    it('ends the transport when the session is gone', async () => {
      await initialize();
      saying(404, {});
      transport.listen();
      assert.equal((await recorder.closed()).kind, 'session_lost');
    });

    it('begins anew after an event past the cap', async () => {
      const small = await open({ maxMessageBytes: 1_000 });
      fixture.override = ({ request: { method }, response }) => {
        if (method !== 'GET') return false;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`id: 1\ndata: {}\n\ndata: ${'x'.repeat(2_000)}`);
        return true;
      };
      small.listen();
      await clock.set(1_000);
      clock.advance(1_000);
      await fixture.until(() => seen('GET')[1]);
      assert.equal(seen('GET')[1]?.request.headers['last-event-id'], undefined);
      await small.close(0);
    });
  });

  describe('bounds', () => {
    it('refuses messages while too much waits for a connection', async () => {
      const narrow = await open({ connections: 1, maxBufferedBytes: 1_000 });
      narrow.send(request(0, 'silent'));
      await fixture.until(() => fixture.seen[0]);
      const message = request(1, 'echo', { text: 'x'.repeat(2_000) });
      assert.equal(narrow.send(message), true);
      assert.equal(narrow.send(request(2, 'echo')), false);
      narrow.abandon(1);
      assert.equal(narrow.send(request(3, 'echo')), true);
      narrow.abandon(0);
      await recorder.result(3);
      await narrow.close(0);
    });

    it('leaves no connection after close, streams and waiting requests included', async () => {
      transport.send(request(1, 'silent'));
      fixture.override = ({ request: { method }, response }) => {
        if (method !== 'GET') return false;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        return true;
      };
      transport.listen();
      await fixture.until(() => (fixture.seen.length === 2 ? true : undefined));
      await transport.close(0);
      await fixture.until(() => (fixture.connections === 0 ? true : undefined));
      assert.deepEqual(clock.waits, []);
    });
  });
});
