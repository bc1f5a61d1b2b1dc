import { createStreamableHttpTransport } from '#src/transports/outbound/streamable-http.js';
import { HttpFixture } from '../support/outbound/http-fixture.js';
import { checkEverything, startEverything } from '../support/outbound/everything.js';
import { unusedPort } from '../support/outbound/unused-port.js';
import { outboundTransportContract } from './outbound-transport.contract.js';

for (const answers of ['json', 'sse'] as const) {
  outboundTransportContract({
    name: `Streamable HTTP, ${answers} answers`,
    missingKind: 'connect_failed',
    oversizeEndsTransport: false,
    // Over TLS a connection is open after the peer's hello, which never comes.
    createHanging: (handlers, port) =>
      createStreamableHttpTransport({ url: `https://127.0.0.1:${port}/mcp` }, handlers),
    start: async () => {
      const fixture = await HttpFixture.start();
      fixture.answers = answers;
      const nowhere = `http://127.0.0.1:${await unusedPort()}/mcp`;
      return {
        target: { transport: 'http', url: fixture.url },
        create: (handlers, limits) => createStreamableHttpTransport({ url: fixture.url, ...limits }, handlers),
        createMissing: (handlers) => createStreamableHttpTransport({ url: nowhere }, handlers),
        stop: () => fixture.stop(),
      };
    },
  });
}

describe('Streamable HTTP transport with a real server', () => {
  it('speaks with server-everything', async () => {
    const server = await startEverything('streamableHttp');
    try {
      await checkEverything((handlers) => createStreamableHttpTransport({ url: `${server.origin}/mcp` }, handlers));
    } finally {
      await server.stop();
    }
  });
});
