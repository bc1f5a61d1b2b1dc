/** `--watch` on a terminal: each round takes the place of the one before, and a gateway that is away is waited for. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startAdminServer, type AdminServer } from '#src/admin/server.js';
import type { CliIo } from '#src/cli/context.js';
import { runCli } from '#src/cli/program.js';
import { unexpected, withDirectory } from '../../support/admin/console.js';
import { FakeGateway } from '../../support/admin/fake-gateway.js';
import { FakeTerminal } from '../../support/fake-terminal.js';

interface Watching {
  readonly terminal: FakeTerminal;
  readonly gateway: FakeGateway;
  /** Lets the next round begin. */
  readonly next: () => void;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<number>;
}

/** The sleeps of the command are as long as the test wants. */
async function watching(
  line: string,
  size: readonly [number, number],
  work: (watch: Watching) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const gateway = new FakeGateway();
    const path = join(directory, 'v.sock');
    const start = async (): Promise<AdminServer> =>
      await startAdminServer({ path, handler: gateway.handler, onError: unexpected });
    const state = { server: await start() };
    /** Who sleeps, and how often the next one need not: it was woken before it slept. */
    const bed: { sleeper: (() => void) | null; woken: number } = { sleeper: null, woken: 0 };
    const wake = (): void => {
      const { sleeper } = bed;
      bed.sleeper = null;
      if (sleeper) sleeper();
      else bed.woken += 1;
    };
    const terminal = new FakeTerminal(...size);
    const stop = new AbortController();
    const io = {
      stdout: terminal.output,
      stderr: { write: () => true },
      env: {},
      signal: stop.signal,
      sleep: () =>
        new Promise<void>((resolve) => {
          if (bed.woken > 0) {
            bed.woken -= 1;
            resolve();
            return;
          }
          bed.sleeper = resolve;
          stop.signal.addEventListener('abort', () => resolve(), { once: true });
        }),
    } as unknown as CliIo;
    const ended = runCli([...line.split(' '), '--watch', '1', '--socket', path], io);
    try {
      await work({
        terminal,
        gateway,
        next: wake,
        restart: async () => {
          await state.server.close();
          // Whoever looks now finds nobody; the test lets it look again.
          wake();
          await terminal.shows(/away since \d\d:\d\d:\d\d/);
          state.server = await start();
          wake();
        },
        stop: async () => {
          stop.abort();
          return await ended;
        },
      });
    } finally {
      stop.abort();
      await ended;
      await state.server.close();
    }
  });
}

describe('--watch on a terminal', () => {
  it('leaves nothing of the round before, however long it was', () =>
    watching('upstreams', [100, 30], async ({ terminal, gateway, next }) => {
      await terminal.shows('tickets');
      const [first, ...others] = gateway.snapshot.upstreams;
      assert.ok(first && others.length > 0);
      gateway.tick({ upstreams: [{ ...first, name: 'x' }] });
      next();
      const text = await terminal.shows(/^x /m);
      assert.doesNotMatch(text, /tickets/);
      assert.equal(text.trimEnd().split('\n').length, 4, text);
      assert.match(text, /^every 1 s, Ctrl-C ends +\d\d:\d\d:\d\d/);
    }));

  it('cuts what is higher than the screen, and says how much', () =>
    watching('tree', [100, 10], async ({ terminal }) => {
      const text = await terminal.shows(/… \d+ more lines/);
      assert.match(text.split('\n')[2] ?? '', /^ACTOR/);
    }));

  it('fits another size from the next round on', () =>
    watching('upstreams', [120, 30], async ({ terminal, next }) => {
      await terminal.shows('tickets');
      terminal.resize(60, 30);
      next();
      await terminal.shows(/^every 1 s, Ctrl-C ends {30,40}\d\d:\d\d:\d\d$/m);
    }));

  it('keeps the last figures while the gateway is away, and goes on when it is back', () =>
    watching('upstreams', [100, 30], async ({ terminal, gateway, next, restart }) => {
      await terminal.shows('tickets');
      next();
      await restart();
      await terminal.shows(/every 1 s/);
      assert.match(terminal.text, /tickets/);
      assert.ok(gateway.received.length >= 2);
    }));

  it('gives the cursor back, and the code of Ctrl-C', () =>
    watching('status', [100, 40], async ({ terminal, stop }) => {
      await terminal.shows('running');
      assert.ok(terminal.output.written.includes('\u001b[?25l'));
      assert.equal(await stop(), 0);
      assert.ok(terminal.output.written.endsWith('\u001b[?25h'));
    }));

  it('does not wait for a gateway that was never there', () =>
    withDirectory(async (directory) => {
      const terminal = new FakeTerminal(80, 24);
      const io = {
        stdout: terminal.output,
        stderr: { write: () => true },
        env: {},
        signal: new AbortController().signal,
        sleep: () => Promise.reject(new Error('nothing to wait for')),
      } as unknown as CliIo;
      assert.equal(await runCli(['status', '--watch', '--socket', join(directory, 'none.sock')], io), 3);
      assert.equal(terminal.output.written, '', 'what the screen showed stays');
    }));
});
