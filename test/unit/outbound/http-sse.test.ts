import assert from 'node:assert/strict';
import { createHttpSseTransport } from '#src/transports/outbound/http-sse.js';
import type { HttpOptions } from '#src/transports/outbound/streamable-http.js';
import type { OutboundTransport } from '#src/transports/outbound/transport.js';
import { notification, patient, Recorder, request } from '../../support/outbound/recorder.js';
import { SseFixture } from '../../support/outbound/sse-fixture.js';

describe('HTTP+SSE transport', () => {
  let fixture: SseFixture;
  let recorder: Recorder;
  let transport: OutboundTransport;

  beforeEach(async () => {
    fixture = await SseFixture.start();
    recorder = new Recorder();
  });

  afterEach(async () => {
    await transport.close(0);
    await fixture.http.stop();
    assert.deepEqual(recorder.violations, []);
  });

  function create(options: Partial<HttpOptions> = {}): OutboundTransport {
    const headers = { authorization: 'Bearer S3CRET' };
    const created = createHttpSseTransport({ url: `${fixture.http.origin}/sse`, headers, ...options }, recorder);
    transport = recorder.watch(created);
    return transport;
  }

  async function open(options: Partial<HttpOptions> = {}): Promise<OutboundTransport> {
    assert.equal(await create(options).open(patient), undefined);
    return transport;
  }

  it('posts to the endpoint that the server named, with the configured headers', async () => {
    await open();
    transport.setProtocolVersion('2024-11-05');
    transport.send(request(1, 'echo'));
    await recorder.result(1);
    const [get, post] = fixture.http.seen;
    assert.equal(get?.request.headers.accept, 'text/event-stream');
    assert.equal(post?.request.url, '/messages?sessionId=s1');
    assert.equal(post.request.headers['mcp-protocol-version'], '2024-11-05');
    for (const exchange of [get, post]) assert.equal(exchange.request.headers.authorization, 'Bearer S3CRET');
  });

  it('takes an endpoint relative to the stream, and an absolute one of the same origin', async () => {
    for (const endpoint of ['messages', `${fixture.http.origin}/messages`]) {
      fixture.endpoint = endpoint;
      recorder = new Recorder();
      await open();
      transport.send(request(endpoint, 'echo'));
      await recorder.result(endpoint);
      assert.equal(fixture.http.seen.at(-1)?.request.url, '/messages');
      await transport.close(0);
    }
  });

  for (const endpoint of [
    'http://elsewhere.example/messages',
    '//elsewhere.example/m',
    'https://127.0.0.1/m',
    'data:x',
  ]) {
    it(`refuses the endpoint ${endpoint}`, async () => {
      fixture.endpoint = endpoint;
      const error = await create().open(patient);
      assert.equal(error?.kind, 'protocol');
      assert.equal(fixture.http.seen.length, 1);
    });
  }

  for (const [status, contentType, kind] of [
    [401, 'text/event-stream', 'unauthorized'],
    [404, 'text/plain', 'http_status'],
    [200, 'text/html', 'protocol'],
  ] as const) {
    it(`does not open on ${status} with ${contentType}`, async () => {
      fixture.http.override = ({ response }) => {
        response.writeHead(status, { 'content-type': contentType }).end('x');
        return true;
      };
      assert.equal((await create().open(patient))?.kind, kind);
      assert.deepEqual(recorder.closings, []);
    });
  }

  it('does not open when the stream ends before the endpoint', async () => {
    fixture.http.override = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(':\n\n');
      return true;
    };
    assert.equal((await create().open(patient))?.kind, 'closed');
  });

  it('fails the request whose POST is refused, and no other', async () => {
    await open();
    fixture.postStatus = 429;
    transport.send(request(1, 'echo'));
    const refused = await recorder.ending(1);
    assert.ok(refused.kind === 'failed');
    assert.equal(refused.error.status, 429);
    fixture.postStatus = 202;
    transport.send(request(2, 'echo'));
    await recorder.result(2);
  });

  it('ends when the server no longer knows the session', async () => {
    await open();
    fixture.postStatus = 404;
    transport.send(request(1, 'echo'));
    assert.equal((await recorder.closed()).kind, 'session_lost');
    assert.deepEqual(
      recorder.failures.map(([id, { kind }]) => [id, kind]),
      [[1, 'session_lost']],
    );
  });

  it('ends with the stream', async () => {
    await open();
    transport.send(request(1, 'silent'));
    fixture.stream?.end();
    assert.equal((await recorder.closed()).kind, 'closed');
  });

  it('sends nothing behind notifications/initialized before the server took it', async () => {
    await open();
    const before = fixture.http.override;
    let accept: (() => void) | undefined;
    fixture.http.override = (exchange) => {
      if (exchange.message?.['method'] !== 'notifications/initialized') return before(exchange);
      accept = () => exchange.response.writeHead(202).end();
      return true;
    };
    transport.send(notification('notifications/initialized'));
    transport.send(request(1, 'echo'));
    const release = await fixture.http.until(() => accept);
    assert.equal(fixture.http.seen.length, 2);
    release();
    await recorder.result(1);
  });

  it('refuses messages while too much waits for a connection', async () => {
    await open({ connections: 1, maxBufferedBytes: 1_000 });
    fixture.http.override = () => true;
    transport.send(request(0, 'echo'));
    await fixture.http.until(() => fixture.http.seen[1]);
    assert.equal(transport.send(request(1, 'echo', { text: 'x'.repeat(2_000) })), true);
    assert.equal(transport.send(request(2, 'echo')), false);
  });
});
