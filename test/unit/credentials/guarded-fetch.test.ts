/** Threat row "SSRF": addresses that metadata lead to are rejected before anything is connected to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type LookupFunction, type Server } from 'node:net';
import fc from 'fast-check';
import { guardedFetch, isPublic } from '#src/credentials/guarded-fetch.js';

describe('guarded fetch', () => {
  let target: Server;
  let port: number;
  let connects: number;

  beforeEach(async () => {
    connects = 0;
    target = createServer((socket) => {
      connects += 1;
      socket.destroy();
    });
    target.listen(0, '::');
    await once(target, 'listening');
    ({ port } = target.address() as AddressInfo);
  });
  afterEach(() => target.close());

  const none = guardedFetch({ trusted: new Set() });

  async function refused(work: Promise<unknown>): Promise<void> {
    await assert.rejects(work, (error: Error) => {
      const all = `${error.name} ${error.cause instanceof Error ? error.cause.name : ''}`;
      assert.match(all, /ForbiddenAddressError/);
      return true;
    });
    assert.equal(connects, 0);
  }

  it('connects to no spelling of an address that is not public', async () => {
    for (const host of [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      '017700000001',
      '127.1',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '169.254.169.254',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '192.168.1.1',
      '100.64.0.1',
      'localhost',
    ]) {
      await refused(none(`https://${host}:${port}/.well-known/oauth-authorization-server`));
    }
  });

  it('asks over https only, unless the origin is configured', async () => {
    await refused(none(`http://auth.example:${port}/`));
    await refused(none(`file:///etc/passwd`));
  });

  it('a name whose second answer is another (DNS flip) is looked up once and never leads inside', async () => {
    let asked = 0;
    const flip: LookupFunction = (_name, _options, callback) => {
      asked += 1;
      callback(null, [{ address: asked === 1 ? '127.0.0.1' : '93.184.216.34', family: 4 }]);
    };
    await refused(guardedFetch({ trusted: new Set(), lookup: flip })(`https://flip.example:${port}/`));
    const mixed: LookupFunction = (_name, _options, callback) =>
      callback(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    await refused(guardedFetch({ trusted: new Set(), lookup: mixed })(`https://mixed.example:${port}/`));
  });

  describe('with a configured origin', () => {
    let server: HttpServer;
    let origin: string;
    let location: string;

    beforeEach(async () => {
      server = createHttpServer((request, response) => {
        if (request.url === '/go') response.writeHead(302, { location }).end();
        else if (request.url === '/big') response.end(Buffer.alloc(2 * 1024 * 1024));
        else response.end('here');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('asks it, and follows no redirect to where it may not go; nor one of a request that holds a secret', async () => {
      const fetch = guardedFetch({ trusted: new Set([origin]) });
      assert.equal(await (await fetch(`${origin}/x`)).text(), 'here');
      for (location of [`https://127.0.0.1:${port}/`, `http://localhost:${port}/`, `https://[::1]:${port}/`])
        await refused(fetch(`${origin}/go`));
      location = `${origin}/x`;
      assert.equal(await (await fetch(`${origin}/go`)).text(), 'here');
      await refused(fetch(`${origin}/go`, { method: 'POST', body: 'code=secret' }));
    });

    it('reads no more than a megabyte', async () => {
      await refused(guardedFetch({ trusted: new Set([origin]) })(`${origin}/big`));
    });
  });

  it('IPv4-mapped addresses count as the IPv4 addresses that they are', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        assert.equal(isPublic(`::ffff:${address}`), isPublic(address), address);
      }),
    );
    assert.deepEqual(['8.8.8.8', '2606:4700::1111', '192.0.2.1', 'nonsense'].map(isPublic), [true, true, false, false]);
  });
});
