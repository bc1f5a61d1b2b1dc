import assert from 'node:assert/strict';
import { once } from 'node:events';
import { link, lstat, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { AdminSocketError, startAdminServer, type AdminHandler, type AdminLimits } from '#src/admin/server.js';
import type { AdminServer } from '#src/admin/server.js';
import { RawConsole, type WireMessage, unexpected, withDirectory } from '../../support/admin/console.js';
import { FakeGateway } from '../../support/admin/fake-gateway.js';

interface Harness {
  readonly server: AdminServer;
  readonly errors: Error[];
  readonly open: () => Promise<RawConsole>;
}

async function withServer(
  handler: AdminHandler,
  work: (harness: Harness) => Promise<void>,
  limits: Partial<AdminLimits> = {},
): Promise<void> {
  await withDirectory(async (directory) => {
    const errors: Error[] = [];
    const onError = (error: Error): void => void errors.push(error);
    const server = await startAdminServer({ path: join(directory, 'v.sock'), handler, limits, onError });
    const consoles: RawConsole[] = [];
    const open = async (): Promise<RawConsole> => {
      const opened = await RawConsole.open(server.path);
      consoles.push(opened);
      return opened;
    };
    try {
      await work({ server, errors, open });
    } finally {
      for (const { socket } of consoles) socket.destroy();
      await server.close();
    }
  });
}

const errorCode = (message: Record<string, unknown> | undefined): unknown =>
  (message?.['error'] as { code?: unknown } | undefined)?.code;

describe('admin socket file', () => {
  const options = (path: string) => ({ path, handler: new FakeGateway().handler, onError: unexpected });

  it('is readable by its owner alone, whatever the umask, and goes with the server', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      const umask = process.umask(0);
      try {
        const server = await startAdminServer(options(path));
        const { mode } = await lstat(path);
        assert.equal(mode & 0o777, 0o600);
        assert.deepEqual(await readdir(directory), ['v.sock']);
        await server.close();
        await server.close();
        assert.deepEqual(await readdir(directory), []);
      } finally {
        process.umask(umask);
      }
    }));

  it('replaces the socket of a dead process', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      const dead = createServer().listen(join(directory, 'first'));
      await once(dead, 'listening');
      await link(join(directory, 'first'), path);
      dead.close();
      await once(dead, 'close');
      const server = await startAdminServer(options(path));
      const opened = await RawConsole.open(path);
      opened.ask(1, 'status');
      assert.equal((await opened.next())?.['ok'], true);
      opened.socket.destroy();
      await server.close();
    }));

  it('refuses the socket of a live process, names it and leaves it alone', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      const first = await startAdminServer(options(path));
      await assert.rejects(startAdminServer(options(path)), (error: unknown) => {
        assert.ok(error instanceof AdminSocketError);
        assert.equal(error.code, 'socket_in_use');
        assert.ok(error.message.includes(path));
        return true;
      });
      const opened = await RawConsole.open(path);
      opened.ask(1, 'status');
      assert.equal((await opened.next())?.['ok'], true);
      opened.socket.destroy();
      assert.deepEqual(await readdir(directory), ['v.sock']);
      await first.close();
    }));

  it('never removes a file that is no socket', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'v.sock');
      await writeFile(path, 'precious');
      await assert.rejects(startAdminServer(options(path)), { code: 'socket_path_taken' });
      assert.equal(await readFile(path, 'utf8'), 'precious');
    }));

  it('explains a path that is too long or whose directory is missing', () =>
    withDirectory(async (directory) => {
      await assert.rejects(startAdminServer(options(join(directory, 'x'.repeat(120)))), {
        code: 'socket_path_too_long',
      });
      await assert.rejects(startAdminServer(options(join(directory, 'no', 'v.sock'))), { code: 'socket_unavailable' });
      assert.deepEqual(await readdir(directory), []);
    }));
});

describe('admin server', () => {
  it('answers every request once, whatever its order and manner', () =>
    withServer(new FakeGateway().handler, async ({ open }) => {
      const opened = await open();
      const methods = ['status', 'tree', 'connections', 'upstreams', 'actors', 'logs', 'watch'];
      // In one write, cut into two packets in the middle of a line.
      const lines = methods.map((method, index) => `${JSON.stringify({ id: index + 1, method })}\n`).join('');
      opened.socket.write(lines.slice(0, 70));
      opened.socket.write(lines.slice(70));
      const answered: (WireMessage | undefined)[] = [];
      while (answered.length < methods.length) answered.push(await opened.next());
      assert.deepEqual(answered.map((answer) => answer?.['id']).sort(), [1, 2, 3, 4, 5, 6, 7]);
      assert.ok(answered.every((answer) => answer?.['ok'] === true));
      assert.equal(opened.inbox.length, 0);
    }));

  it('answers what it cannot read with an error and goes on', () =>
    withServer(new FakeGateway().handler, async ({ open }) => {
      const opened = await open();
      const cases: readonly [string, number, string][] = [
        ['{', 0, 'invalid_json'],
        ['[]', 0, 'invalid_request'],
        ['{"id": 1.5, "method": "status"}', 0, 'invalid_request'],
        ['{"id": 7}', 7, 'invalid_request'],
        ['{"id": 8, "method": "stauts"}', 8, 'unknown_method'],
        ['{"id": 9, "method": "__proto__"}', 9, 'unknown_method'],
        ['{"id": 10, "method": "kill"}', 10, 'invalid_arguments'],
        ['{"id": 11, "method": "status", "params": {"x": 1}}', 11, 'invalid_arguments'],
        ['{"id": 12, "method": "watch", "params": {"intervalMs": 0}}', 12, 'invalid_arguments'],
      ];
      for (const [line, id, code] of cases) {
        opened.write(line);
        const answer = await opened.next();
        assert.equal(answer?.['id'], id, line);
        assert.equal(errorCode(answer), code, line);
      }
      opened.ask(20, 'stauts');
      assert.deepEqual(((await opened.next())?.['error'] as { suggestions: unknown }).suggestions, ['status']);
      opened.ask(21, 'status');
      assert.equal((await opened.next())?.['ok'], true);
    }));

  it('refuses a line past the cap once and reads on after it', () =>
    withServer(
      new FakeGateway().handler,
      async ({ open }) => {
        const opened = await open();
        opened.write('x'.repeat(5_000));
        opened.ask(2, 'status');
        assert.equal(errorCode(await opened.next()), 'line_too_long');
        const second = await opened.next();
        assert.equal(second?.['id'], 2);
        assert.equal(second['ok'], true);
      },
      { maxLineBytes: 1_000 },
    ));

  it('turns a defect of the handler into an answer and reports it', () =>
    withServer(
      async () => {
        throw new Error('boom');
      },
      async ({ open, errors }) => {
        const opened = await open();
        opened.ask(1, 'status');
        const answer = await opened.next();
        assert.equal(errorCode(answer), 'internal_error');
        assert.ok(!JSON.stringify(answer).includes('boom'));
        assert.deepEqual(
          errors.map(({ message }) => message),
          ['boom'],
        );
      },
    ));

  it('refuses an id in use and more requests than it runs at once', () => {
    const waiting: (() => void)[] = [];
    const handler: AdminHandler = () =>
      new Promise((resolve) => waiting.push(() => resolve({ ok: true, result: null })));
    return withServer(
      handler,
      async ({ open }) => {
        const opened = await open();
        opened.ask(1, 'status');
        opened.ask(1, 'status');
        assert.equal(errorCode(await opened.next()), 'duplicate_id');
        opened.ask(2, 'status');
        opened.ask(3, 'status');
        const third = await opened.next();
        assert.equal(third?.['id'], 3);
        assert.equal(errorCode(third), 'overloaded');
        waiting.forEach((answer) => answer());
        assert.deepEqual([(await opened.next())?.['id'], (await opened.next())?.['id']], [1, 2]);
      },
      { maxInFlight: 2 },
    );
  });

  it('tells a console too many so', () =>
    withServer(
      new FakeGateway().handler,
      async ({ server, open }) => {
        const first = await open();
        first.ask(1, 'status');
        await first.next();
        assert.equal(server.connections, 1);
        const second = await open();
        assert.equal(errorCode(await second.next()), 'too_many_consoles');
        assert.equal(await second.next(), undefined);
        assert.equal(server.connections, 1);
      },
      { maxConnections: 1 },
    ));

  it('still answers a console that has said all it has to say', () =>
    withServer(new FakeGateway().handler, async ({ open }) => {
      const opened = await open();
      opened.socket.end('{"id": 1, "method": "status"}\n');
      assert.equal((await opened.next())?.['ok'], true);
      assert.equal(await opened.next(), undefined);
    }));
});

describe('admin streams', () => {
  it('follow the answer, even when events come before it', () =>
    withServer(
      async (_, { emit }) => {
        emit('early');
        return { ok: true, result: 'first' };
      },
      async ({ open }) => {
        const opened = await open();
        opened.ask(1, 'watch');
        assert.deepEqual(await opened.next(), { id: 1, ok: true, result: 'first' });
        assert.deepEqual(await opened.next(), { id: 1, event: 'early' });
      },
    ));

  it('end with cancel and with the console', async () => {
    const gateway = new FakeGateway();
    await withServer(gateway.handler, async ({ open, server }) => {
      const opened = await open();
      opened.ask(1, 'watch');
      opened.ask(2, 'logs', { follow: true, lines: 0 });
      await opened.next();
      await opened.next();
      assert.equal(gateway.followers('watch') + gateway.followers('logs'), 2);
      gateway.tick({ pid: 1 });
      assert.equal(((await opened.next())?.['event'] as { pid: number }).pid, 1);
      opened.ask(3, 'cancel', { id: 1 });
      assert.deepEqual(await opened.next(), { id: 3, ok: true, result: { cancelled: true } });
      assert.equal(gateway.followers('watch'), 0);
      opened.ask(4, 'cancel', { id: 1 });
      assert.deepEqual(await opened.next(), { id: 4, ok: true, result: { cancelled: false } });
      const follower = await open();
      follower.ask(1, 'watch');
      await follower.next();
      await server.close();
      assert.equal(gateway.followers('watch') + gateway.followers('logs'), 0);
      assert.equal(await opened.next(), undefined);
    });
  });

  it('give a slow console the newest snapshot and drop the ones between', async () => {
    const gateway = new FakeGateway();
    await withServer(
      gateway.handler,
      async ({ open, server }) => {
        const opened = await open();
        opened.ask(1, 'watch');
        await opened.next();
        opened.socket.pause();
        const rounds = 400;
        for (let pid = 1; pid <= rounds; pid += 1) gateway.tick({ pid });
        assert.ok(server.droppedEvents > 0);
        opened.socket.resume();
        const seen: number[] = [];
        while (seen.at(-1) !== rounds) seen.push(((await opened.next())?.['event'] as { pid: number }).pid);
        assert.equal(seen.length + server.droppedEvents, rounds);
        assert.deepEqual(
          seen,
          [...seen].sort((a, b) => a - b),
        );
      },
      { maxBufferedBytes: 100_000 },
    );
  });

  it('tell a slow console how many log lines it missed', async () => {
    const gateway = new FakeGateway();
    await withServer(
      gateway.handler,
      async ({ open, server }) => {
        const opened = await open();
        opened.ask(1, 'logs', { follow: true, lines: 0 });
        await opened.next();
        opened.socket.pause();
        const rounds = 3_000;
        for (let at = 1; at <= rounds; at += 1) {
          gateway.log({ at, level: 'info', event: 'x', message: 'y'.repeat(500), fields: {} });
        }
        opened.socket.resume();
        let lines = 0;
        for (;;) {
          const entry = (await opened.next())?.['event'] as { event: string; fields: { missed?: number } };
          if (entry.event === 'console.slow') {
            assert.equal(entry.fields.missed, rounds - lines);
            assert.equal(entry.fields.missed, server.droppedEvents);
            break;
          }
          lines += 1;
        }
      },
      { maxBufferedBytes: 50_000 },
    );
  });
});
