/** TLS: the certificate is served, renewed without dropping anybody, and asked for in return where the configuration says so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { eventually, within } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';

interface Pair {
  readonly cert: string;
  readonly private: string;
}

async function pair(name: string): Promise<Pair> {
  return await generate([{ name: 'commonName', value: name }], { keyType: 'ec', algorithm: 'sha256' });
}

describe('TLS', () => {
  let folder: string;
  let gateway: Gateway | undefined;
  const file = (name: string): string => path.join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'viable-tls-'));
  });
  afterEach(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function install({ cert, private: key }: Pair): Promise<void> {
    await writeFile(file('cert.pem'), cert);
    await writeFile(file('key.pem'), key);
  }

  async function start(tls: object = {}): Promise<Gateway> {
    const listen = { tls: { cert: file('cert.pem'), key: file('key.pem'), ...tls } };
    gateway = await startGateway({ config: { mcpServers: {}, gateway: { listen } } });
    return gateway;
  }

  async function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { port, hostname } = new URL(gateway!.url);
    const socket = connect({ port: Number(port), host: hostname, rejectUnauthorized: false, ...options });
    await within(once(socket, 'secureConnect'), 'the handshake');
    return socket;
  }

  /** The status line of a request on this socket. */
  async function ask(socket: TLSSocket): Promise<string> {
    socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    const [data] = (await within(once(socket, 'data'), 'an answer')) as [Buffer];
    return data.toString('utf8').split('\r\n')[0] ?? '';
  }

  const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

  it('serves https, and nothing older than TLS 1.2', async () => {
    await install(await pair('first'));
    assert.match((await start()).url, /^https:/);
    const socket = await open();
    assert.equal(nameOf(socket), 'first');
    assert.equal(await ask(socket), 'HTTP/1.1 200 OK');
    socket.destroy();
    await assert.rejects(open({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }));
  });

  it('takes a renewed certificate over; who is connected stays, and one that does not fit changes nothing', async () => {
    await install(await pair('first'));
    await start();
    const old = await open();
    await writeFile(file('cert.pem'), (await pair('stranger')).cert); // not of this key
    await gateway!.waitForLog(({ event }) => event === 'certificate_refused', 'the refusal');
    const meanwhile = await open();
    assert.equal(nameOf(meanwhile), 'first');
    meanwhile.destroy();
    await install(await pair('second'));
    await eventually(
      async () => {
        const fresh = await open();
        const name = nameOf(fresh);
        fresh.destroy();
        if (name !== 'second') throw new Error(name);
      },
      { what: 'the second certificate' },
    );
    assert.equal(await ask(old), 'HTTP/1.1 200 OK');
    old.destroy();
  });

  it('lets nobody in without a certificate of its authority', async () => {
    await install(await pair('server'));
    const client = await pair('client');
    await writeFile(file('ca.pem'), client.cert);
    await start({ ca: file('ca.pem'), clientAuth: 'require' });
    const known = await open({ cert: client.cert, key: client.private });
    assert.equal(await ask(known), 'HTTP/1.1 200 OK');
    known.destroy();
    const other = await pair('other');
    for (const options of [{}, { cert: other.cert, key: other.private }]) {
      // In TLS 1.3 the refusal comes after the client's side of the handshake.
      const { port, hostname } = new URL(gateway!.url);
      const socket = connect({ port: Number(port), host: hostname, rejectUnauthorized: false, ...options });
      let heard = '';
      socket.on('data', (data: Buffer) => (heard += data.toString('utf8')));
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
      await within(closed, 'the refusal');
      assert.equal(heard, '');
    }
  });
});
