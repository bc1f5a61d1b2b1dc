import { createWebSocketTransport } from '#src/transports/outbound/websocket.js';
import { unusedPort } from '../support/outbound/unused-port.js';
import { startWsFixture } from '../support/outbound/ws-fixture.js';
import { outboundTransportContract } from './outbound-transport.contract.js';

outboundTransportContract({
  name: 'WebSocket',
  missingKind: 'connect_failed',
  oversizeEndsTransport: true,
  createHanging: (handlers, port) => createWebSocketTransport({ url: `ws://127.0.0.1:${port}/mcp` }, handlers),
  start: async () => {
    const fixture = await startWsFixture();
    const nowhere = `ws://127.0.0.1:${await unusedPort()}/mcp`;
    return {
      target: { transport: 'ws', url: fixture.url },
      create: (handlers, limits) => createWebSocketTransport({ url: fixture.url, ...limits }, handlers),
      createMissing: (handlers) => createWebSocketTransport({ url: nowhere }, handlers),
      stop: () => fixture.stop(),
    };
  },
});
