import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createReaper, type Reaper } from '#src/transports/outbound/reaper.js';
import { INHERITED_ENV } from '#src/transports/outbound/stdio-spawn.js';
import { createStdioTransport, type StdioOptions } from '#src/transports/outbound/stdio.js';
import type { OutboundTransport } from '#src/transports/outbound/transport.js';
import { ManualClock } from '../../support/outbound/manual-clock.js';
import { eventually, isGone } from '../../support/outbound/processes.js';
import { patient, Recorder, request } from '../../support/outbound/recorder.js';

const FIXTURE = fileURLToPath(new URL('../../support/outbound/stdio-fixture.js', import.meta.url));

interface Self {
  readonly argv: string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
}

describe('stdio transport', () => {
  let reaper: Reaper;
  let recorder: Recorder;
  let transport: OutboundTransport | undefined;
  let folder: string;

  beforeEach(() => {
    reaper = createReaper();
    recorder = new Recorder();
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'viable-stdio-')));
  });

  afterEach(async () => {
    await transport?.close(100);
    await reaper.stop();
    rmSync(folder, { recursive: true });
    assert.deepEqual(recorder.violations, []);
  });

  function create(options: Partial<StdioOptions>): OutboundTransport {
    transport = recorder.watch(createStdioTransport({ command: process.execPath, reaper, ...options }, recorder));
    return transport;
  }

  async function open(flags: readonly string[], options: Partial<StdioOptions> = {}): Promise<OutboundTransport> {
    const created = create({ args: [FIXTURE, ...flags], ...options });
    assert.equal(await created.open(patient), undefined);
    return created;
  }

  async function self(): Promise<Self> {
    const message = await recorder.until(() =>
      recorder.messages.find((one) => 'method' in one && one.method === 'test/self'),
    );
    assert.ok('params' in message);
    return message.params as unknown as Self;
  }

  describe('start', () => {
    it('passes arguments as they are, past no shell', async () => {
      const witness = path.join(folder, 'witness');
      const hostile = [`;touch ${witness}`, `$(touch ${witness})`, '`id`', '*', 'a \'b\' "c"', '', '-n', '$HOME', '\n'];
      await open(['env', ...hostile]);
      assert.deepEqual((await self()).argv, ['env', ...hostile]);
      assert.equal(existsSync(witness), false);
    });

    it('gives the allowlist and the configured environment, nothing else', async () => {
      process.env['VIABLE_TEST_SECRET'] = 'leak';
      try {
        await open(['env'], { env: { API_KEY: 'a b;$c', TZ: 'UTC' } });
      } finally {
        delete process.env['VIABLE_TEST_SECRET'];
      }
      const { env } = await self();
      assert.equal(env['API_KEY'], 'a b;$c');
      assert.equal(env['TZ'], 'UTC');
      assert.equal(env['PATH'], process.env['PATH']);
      const allowed = new Set([...INHERITED_ENV, 'API_KEY']);
      const foreign = Object.keys(env).filter((name) => !allowed.has(name) && !name.startsWith('LC_'));
      // Set by a shell, by macOS, and by Node's own `spawn` while coverage is measured.
      const systems = ['_', '__CF_USER_TEXT_ENCODING', 'NODE_V8_COVERAGE'];
      assert.deepEqual(
        foreign.filter((name) => !systems.includes(name)),
        [],
      );
    });

    it('runs in the configured working directory and finds a relative program there', async () => {
      writeFileSync(path.join(folder, 'server'), `#!/bin/sh\nexec "${process.execPath}" "${FIXTURE}" env\n`, {
        mode: 0o755,
      });
      assert.equal(await create({ command: './server', cwd: folder }).open(patient), undefined);
      assert.equal((await self()).cwd, folder);
    });

    const refused: [string, Partial<StdioOptions>, RegExp][] = [
      ['a missing program', { command: 'npx-of-nowhere' }, /npx-of-nowhere is not on PATH; install it/],
      ['a missing uvx, with what to install', { command: 'uvx', env: { PATH: '/nowhere' } }, /install uv/],
      ['a path that is no program', { command: '/etc/passwd' }, /not executable/],
      ['a folder as program', { command: '/tmp' }, /not executable/],
      ['a missing working directory', { cwd: '/no/such/folder' }, /working directory \/no\/such\/folder/],
      ['an odd variable name', { env: { 'A-B': '1' } }, /"A-B" is not portable/],
      ['a null character', { args: ['a\0b'] }, /null character/],
    ];
    for (const [what, options, expected] of refused) {
      it(`refuses ${what} before any process exists`, async () => {
        const error = await create(options).open(patient);
        assert.equal(error?.kind, 'spawn_failed');
        assert.match(error.message, expected);
        assert.equal(transport?.pid, undefined);
        assert.equal(reaper.pid, undefined);
      });
    }

    it('starts nothing when no reaper can be had', async () => {
      const broken = createReaper('/no/such/shell');
      const error = await create({ args: [FIXTURE], reaper: broken }).open(patient);
      assert.equal(error?.kind, 'spawn_failed');
      const pid = transport?.pid;
      assert.ok(pid !== undefined && (await isGone(pid)));
    });

    it('says that a program could not be run when its interpreter is missing', async () => {
      const program = path.join(folder, 'broken');
      writeFileSync(program, '#!/no/such/interpreter\n', { mode: 0o755 });
      assert.equal(await create({ command: program }).open(patient), undefined);
      assert.equal((await recorder.closed()).kind, 'spawn_failed');
    });
  });

  describe('end', () => {
    it('reports the exit code and the last words', async () => {
      const opened = await open([]);
      opened.send(request(1, 'die'));
      const error = await recorder.closed();
      assert.equal(error.kind, 'closed');
      assert.equal(error.message, 'the server exited with code 3: fatal: asked to die');
    });

    it('reports the signal', async () => {
      const opened = await open([]);
      assert.ok(opened.pid !== undefined);
      process.kill(opened.pid, 'SIGKILL');
      assert.match((await recorder.closed()).message, /ended by SIGKILL/);
    });

    async function grandchild(): Promise<number> {
      const line = await recorder.until(() => recorder.stderr.find((text) => text.startsWith('grandchild ')));
      return Number(line.split(' ')[1]);
    }

    it('ends stubborn servers and their children on close', async () => {
      const opened = await open(['stubborn', 'grandchild']);
      const { pid } = opened;
      const child = await grandchild();
      await opened.close(200);
      assert.ok(pid !== undefined && (await isGone(pid)));
      assert.equal(await isGone(child), true);
    });

    it('ends the children of a server that died, though they hold its pipes', async () => {
      const opened = await open(['grandchild']);
      const child = await grandchild();
      opened.send(request(1, 'die'));
      await recorder.closed();
      assert.equal(await isGone(child), true);
    });

    it('ends a stopped server', async () => {
      const opened = await open(['stubborn']);
      const { pid } = opened;
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGSTOP');
      await opened.close(200);
      assert.equal(await isGone(pid), true);
    });

    it('lets a server that ends with its input leave by itself', async () => {
      const opened = await open([]);
      const { pid } = opened;
      await opened.close(10_000);
      assert.ok(pid !== undefined && (await isGone(pid)));
      assert.equal(recorder.closings[0]?.message, 'the connection was closed by the gateway');
    });

    it('ends when the server closes its input', async () => {
      const deaf = `exec 0<&-; echo '{"jsonrpc":"2.0","method":"test/deaf"}'; while :; do sleep 1; done`;
      const opened = create({ command: '/bin/sh', args: ['-c', deaf] });
      assert.equal(await opened.open(patient), undefined);
      const { pid } = opened;
      await recorder.until(() => recorder.messages[0]);
      opened.send(request(1, 'echo'));
      assert.equal((await recorder.closed()).message, 'the server closed its input');
      assert.ok(pid !== undefined && (await isGone(pid)));
    });
  });

  describe('bounds', () => {
    it('refuses messages while the server reads nothing, and holds no more than the cap', async () => {
      const opened = await open(['unread'], { maxBufferedBytes: 100_000 });
      const message = request(1, 'echo', { text: 'x'.repeat(10_000) });
      let sent = 0;
      // Writes reach the pipe on later turns, so the pipe's own buffer has to fill first.
      await eventually(() => {
        while (opened.send(message)) if (++sent > 1_000) assert.fail('never refused');
        return true;
      });
      assert.ok(sent >= 9);
      assert.equal(opened.send(message), false);
    });

    it('gives a server up that pours out a line without an end', async () => {
      await open(['endless']);
      assert.equal((await recorder.closed()).kind, 'too_large');
      assert.deepEqual(recorder.messages, []);
    });

    it('passes a bounded number of stderr lines and counts the rest', async () => {
      // No time passes: what is written is read to its end, however busy the machine is.
      await open(['flood'], { maxStderrLinesPerSecond: 10, clock: new ManualClock() });
      await recorder.until(() => recorder.messages[0]);
      await transport?.close(100);
      const dropped = recorder.stderr.map((line) => Number(/^\[(\d+) more lines/.exec(line)?.[1] ?? 0));
      const passed = recorder.stderr.filter((line) => line.startsWith('flood ')).length;
      assert.equal(passed + dropped.reduce((sum, count) => sum + count, 0), 5_000);
      assert.ok(passed < 1_000);
    });
  });
});
