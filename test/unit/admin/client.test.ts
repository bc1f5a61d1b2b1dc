import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  AdminRequestError,
  connectAdmin,
  defaultSocketPath,
  discoverSocket,
  NoGatewayError,
  type AdminClient,
} from '#src/admin/client.js';
import type { GatewaySnapshot, LogLine } from '#src/admin/protocol.js';
import { startAdminServer, type AdminServer } from '#src/admin/server.js';
import { unexpected, withDirectory } from '../../support/admin/console.js';
import { FakeGateway } from '../../support/admin/fake-gateway.js';
import { fakeLog } from '../../support/admin/fixtures.js';

async function withClient(
  gateway: FakeGateway,
  work: (client: AdminClient, server: AdminServer) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const server = await startAdminServer({
      path: join(directory, 'v.sock'),
      handler: gateway.handler,
      onError: unexpected,
    });
    const client = await connectAdmin(server.path);
    try {
      await work(client, server);
    } finally {
      client.close();
      await server.close();
    }
  });
}

/** Collects values and lets a test wait for the next one. */
class Inbox<T> {
  readonly values: T[] = [];
  #wake: () => void = () => undefined;
  readonly take = (value: T): void => {
    this.values.push(value);
    this.#wake();
  };
  async count(many: number): Promise<void> {
    while (this.values.length < many) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

describe('admin client', () => {
  it('asks and is answered, many at once', () => {
    const gateway = new FakeGateway();
    return withClient(gateway, async (client) => {
      const [status, tree, killed] = await Promise.all([
        client.request('status'),
        client.request('tree'),
        client.request('kill', { actor: 'upstream:memory' }),
      ]);
      assert.deepEqual(status, gateway.snapshot);
      assert.equal(tree.id, 'root');
      assert.equal(killed.killed, '/operations/upstreams/upstream:memory');
    });
  });

  it('rejects with the gateway’s error and its suggestions', () =>
    withClient(new FakeGateway(), async (client) => {
      await assert.rejects(client.request('kill', { actor: 'upstream:memry' }), (error: unknown) => {
        assert.ok(error instanceof AdminRequestError);
        assert.equal(error.code, 'unknown_actor');
        assert.equal(error.suggestions[0], '/operations/upstreams/upstream:memory');
        return true;
      });
    }));

  it('watches: the first snapshot before the promise, then each new one, none after cancel', () => {
    const gateway = new FakeGateway();
    return withClient(gateway, async (client) => {
      const inbox = new Inbox<GatewaySnapshot>();
      const subscription = await client.watch(1_000, inbox.take);
      assert.equal(inbox.values.length, 1);
      gateway.tick({ pid: 2 });
      await inbox.count(2);
      assert.equal(inbox.values[1]?.pid, 2);
      subscription.cancel();
      subscription.cancel();
      gateway.tick({ pid: 3 });
      await client.request('actors');
      assert.equal(inbox.values.length, 2);
      assert.equal(gateway.followers('watch'), 0);
    });
  });

  it('follows logs: history in order, then new lines of the level asked for', () => {
    const gateway = new FakeGateway();
    return withClient(gateway, async (client) => {
      const inbox = new Inbox<LogLine>();
      await client.followLogs({ lines: 3, level: 'warn' }, inbox.take);
      assert.deepEqual(
        inbox.values,
        gateway.history.filter(({ level }) => level !== 'info' && level !== 'debug').slice(-3),
      );
      gateway.log(fakeLog(0));
      gateway.log(fakeLog(2));
      await inbox.count(4);
      assert.deepEqual(inbox.values[3], fakeLog(2));
    });
  });

  it('settles everything when the gateway goes', () =>
    withClient(new FakeGateway(), async (client, server) => {
      const closed = new Promise<void>((resolve) => client.onClose(resolve));
      await server.close();
      await closed;
      await assert.rejects(client.request('status'), { code: 'connection_lost' });
      let late = 0;
      client.onClose(() => (late += 1));
      assert.equal(late, 1);
    }));

  it('does not wait for ever on something that is no gateway', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      const impostor = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(path);
      await once(impostor, 'listening');
      const client = await connectAdmin(path);
      await assert.rejects(client.request('status'), { code: 'connection_lost' });
      impostor.close();
    }));

  it('says how to get a gateway when there is none', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      const message = `No gateway is listening on ${path}; start one with \`npm start\` or name its socket with --socket.`;
      await assert.rejects(connectAdmin(path), { name: 'NoGatewayError', code: 'no_gateway', message });
      await writeFile(path, '');
      await assert.rejects(connectAdmin(path), NoGatewayError);
    }));
});

describe('discoverSocket', () => {
  it('takes --socket, then the variable, then the port, then port 4000', () => {
    const env = { XDG_RUNTIME_DIR: '/nowhere', VIABLE_ADMIN_SOCKET: '/named.sock', VIABLE_PORT: '5000' };
    assert.equal(discoverSocket({ socket: '/given.sock' }, env), '/given.sock');
    assert.equal(discoverSocket({ port: 1 }, env), '/named.sock');
    assert.equal(discoverSocket({ port: 1 }, { ...env, VIABLE_ADMIN_SOCKET: '' }), '/nowhere/viable-1.sock');
    assert.equal(discoverSocket({}, { ...env, VIABLE_ADMIN_SOCKET: undefined }), '/nowhere/viable-5000.sock');
    assert.equal(discoverSocket({}, { XDG_RUNTIME_DIR: '/nowhere', VIABLE_PORT: '0' }), '/nowhere/viable-4000.sock');
    assert.equal(defaultSocketPath(4000, { TMPDIR: '/t' }), '/t/viable-4000.sock');
  });

  it('finds the only one there is, and asks when there are several', () =>
    withDirectory(async (directory) => {
      const env = { XDG_RUNTIME_DIR: directory };
      const start = (port: number): Promise<AdminServer> =>
        startAdminServer({
          path: defaultSocketPath(port, env),
          handler: new FakeGateway().handler,
          onError: unexpected,
        });
      await writeFile(join(directory, 'viable-1.sock'), 'no socket');
      assert.equal(discoverSocket({}, env), defaultSocketPath(4000, env));
      const first = await start(5001);
      assert.equal(discoverSocket({}, env), first.path);
      const second = await start(5002);
      assert.throws(() => discoverSocket({}, env), { code: 'several_gateways' });
      const usual = await start(4000);
      assert.equal(discoverSocket({}, env), usual.path);
      await Promise.all([first.close(), second.close(), usual.close()]);
    }));
});
