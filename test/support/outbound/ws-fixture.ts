/** A raw WebSocket server with the fixture behaviour. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { behave } from './behaviour.js';

export interface WsFixture {
  readonly url: string;
  readonly server: WebSocketServer;
  stop(): Promise<void>;
}

export async function startWsFixture(options: { autoPong?: boolean } = {}): Promise<WsFixture> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    autoPong: options.autoPong ?? true,
    handleProtocols: (offered) => (offered.has('mcp') ? 'mcp' : false),
  });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  server.on('connection', serve);
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    server,
    stop: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}

function serve(socket: WebSocket): void {
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    for (const action of behave(JSON.parse(data.toString()))) {
      switch (action.kind) {
        case 'message':
          socket.send(JSON.stringify(action.message));
          break;
        case 'garbage':
          socket.send('{"truncated":');
          socket.send(Buffer.from([0, 1, 2]), { binary: true });
          break;
        case 'die':
          socket.terminate();
          break;
      }
    }
  });
}
