/** The fault proxy breaks connections and never bytes: what arrives is what was sent, in order. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import fc from 'fast-check';
import { FaultProxy, type Weather } from '../../support/fault-proxy.js';

describe('support/fault-proxy', () => {
  let server: Server;
  let proxy: FaultProxy;

  before(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await FaultProxy.start((server.address() as AddressInfo).port);
  });

  after(async () => {
    await proxy.stop();
    server.close();
  });

  async function echoed(bytes: Buffer): Promise<Buffer> {
    const socket = connect(proxy.port, '127.0.0.1');
    const back: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => back.push(chunk));
    socket.end(bytes);
    await once(socket, 'close');
    return Buffer.concat(back);
  }

  it('passes every byte in order, in any weather', async () => {
    const weather: fc.Arbitrary<Weather> = fc.record(
      { delay: fc.integer({ min: 0, max: 5 }), slice: fc.integer({ min: 1, max: 64 }), bandwidth: fc.constant(1e6) },
      { requiredKeys: [] },
    );
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 2_000 });
    await fc.assert(
      fc.asyncProperty(weather, bytes, async (sky, given) => {
        proxy.weather = sky;
        assert.deepEqual(await echoed(Buffer.from(given)), Buffer.from(given));
      }),
      { numRuns: 25 },
    );
    proxy.weather = {};
  });

  it('resets', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('x');
    await once(socket, 'data');
    const failed = once(socket, 'error');
    assert.equal(proxy.resetAll(), 1);
    const [error] = (await failed) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('closes one half and lets the other go on', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    socket.write('x');
    await once(socket, 'data');
    assert.equal(proxy.halfCloseAll(), 1);
    await once(socket, 'end');
    assert.ok(socket.writable);
    socket.destroy();
    await once(socket, 'close');
  });
});
