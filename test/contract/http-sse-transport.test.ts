import { createHttpSseTransport } from '#src/transports/outbound/http-sse.js';
import { checkEverything, startEverything } from '../support/outbound/everything.js';
import { SseFixture } from '../support/outbound/sse-fixture.js';
import { unusedPort } from '../support/outbound/unused-port.js';
import { outboundTransportContract } from './outbound-transport.contract.js';

outboundTransportContract({
  name: 'HTTP+SSE',
  missingKind: 'connect_failed',
  oversizeEndsTransport: true,
  createHanging: (handlers, port) => createHttpSseTransport({ url: `http://127.0.0.1:${port}/sse` }, handlers),
  start: async () => {
    const fixture = await SseFixture.start();
    const url = `${fixture.http.origin}/sse`;
    const nowhere = `http://127.0.0.1:${await unusedPort()}/sse`;
    return {
      target: { transport: 'sse', url },
      create: (handlers, limits) => createHttpSseTransport({ url, ...limits }, handlers),
      createMissing: (handlers) => createHttpSseTransport({ url: nowhere }, handlers),
      stop: () => fixture.http.stop(),
    };
  },
});

describe('HTTP+SSE transport with a real server', () => {
  it('speaks with server-everything', async () => {
    const server = await startEverything('sse');
    try {
      await checkEverything((handlers) => createHttpSseTransport({ url: `${server.origin}/sse` }, handlers));
    } finally {
      await server.stop();
    }
  });
});
