/** `viable completion` in the shells themselves: bash with a Tab on a terminal, zsh and fish where they are installed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually, within } from '../support/eventually.js';
import { ROOT, runNode, startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const TAB = '\t';
const CTRL_C = '\u0003';

describe('completion', () => {
  let hub: FixtureHub;
  let folder: string;
  let gateway: Gateway;
  let env: Record<string, string>;

  before(async () => {
    hub = await FixtureHub.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-completion-'));
    // As it is installed: a command of that name on PATH.
    await writeFile(path.join(folder, 'viable'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
    await chmod(path.join(folder, 'viable'), 0o755);
    await writeFile(path.join(folder, 'my-gateway.yaml'), 'mcpServers: {}\n');
    gateway = await startGateway({
      config: {
        mcpServers: { 'good-one': hub.stdio('sdk-server', 'good'), 'my server': hub.stdio('sdk-server', 'other') },
      },
    });
    await gateway.waitForTools(['good-one__echo']);
    env = {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      VIABLE_ADMIN_SOCKET: gateway.socketPath,
      HOME: folder,
      TERM: 'dumb',
      LANG: 'C.UTF-8',
    };
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('with Tab in bash, on a terminal', function () {
    if (process.platform !== 'linux') return;

    let shell: ChildProcess;
    let exited: Promise<unknown>;
    let screen = '';

    before(async () => {
      const bash = 'stty cols 200; exec bash --norc --noprofile -i';
      shell = spawn('script', ['-qefc', bash, '/dev/null'], {
        cwd: folder,
        env: { ...env, SHELL: '/bin/sh', PS1: '> ' },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      exited = once(shell, 'close');
      shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
        // The bell rings where several words fit.
        screen += text.replaceAll('\u0007', '');
      });
      type("source <(viable completion bash); echo 'rea''dy'\n");
      await shows('ready\r\n');
    });
    after(async () => {
      type('exit\n');
      await within(exited, 'the end of the shell');
    });

    function type(keys: string): void {
      shell.stdin?.write(keys);
    }

    async function shows(text: string): Promise<void> {
      await eventually(() =>
        assert.ok(screen.includes(text), `${JSON.stringify(text)} not in ${JSON.stringify(screen)}`),
      );
    }

    for (const [typed, completed] of [
      ['viable upst', 'viable upstream'],
      ['viable for', 'viable force-shutdown '],
      ['viable breaker ha', 'viable breaker half-open '],
      ['viable drain --upstream goo', 'viable drain --upstream good-one '],
      ['viable drain --upstream=goo', 'viable drain --upstream=good-one '],
      ['viable drain --upstream my', 'viable drain --upstream my\\ server '],
      ['viable kill upstream:good', 'viable kill upstream:good-one '],
      ['viable send upstream:good-one reco', 'viable send upstream:good-one reconnect '],
      ['viable features enable aud', 'viable features enable audit '],
      ['viable doctor --config my-', 'viable doctor --config my-gateway.yaml '],
    ] as const) {
      it(typed, async () => {
        screen = '';
        type(`${typed}${TAB}`);
        await shows(completed);
        type(CTRL_C);
        await shows('^C');
      });
    }
  });

  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`the script for ${shell} asks for every word, and is one that it reads`, async () => {
      const { stdout, code } = await runNode(CLI, ['completion', shell]);
      assert.equal(code, 0);
      assert.match(stdout, / __complete -- /);
      const file = path.join(folder, `script.${shell}`);
      await writeFile(file, stdout);
      const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8', env });
      // bash is everywhere; where another is not installed, its script is read by nobody.
      if (checked.error !== undefined && shell !== 'bash') return;
      assert.equal(checked.status, 0, checked.stderr);
    });
  }

  it('says which shell was meant, and nothing at all into a line without a gateway', async () => {
    const slip = await runNode(CLI, ['completion', 'bashh']);
    assert.equal(slip.code, 2);
    assert.match(slip.stderr, /Did you mean bash\?/);
    const nobody = { XDG_RUNTIME_DIR: folder };
    const silent = await runNode(CLI, ['__complete', '--', 'kill', ''], { env: nobody });
    assert.deepEqual([silent.stdout, silent.stderr, silent.code], ['', '', 0]);
  });
});
