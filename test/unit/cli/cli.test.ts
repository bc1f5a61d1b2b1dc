import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { AdminError } from '#src/admin/protocol.js';
import { startAdminServer } from '#src/admin/server.js';
import { EXIT_CODES, EXIT_CODES_HELP } from '#src/cli/exit-codes.js';
import { parseArguments } from '#src/cli/send.js';
import { textWidth } from '#src/admin/view/text.js';
import { run } from '../../support/admin/cli.js';
import { unexpected, withDirectory } from '../../support/admin/console.js';
import { FakeGateway } from '../../support/admin/fake-gateway.js';
import { fakeLog } from '../../support/admin/fixtures.js';

function withGateway(work: (gateway: FakeGateway, socket: string) => Promise<void>): Promise<void> {
  return withDirectory(async (directory) => {
    const gateway = new FakeGateway();
    const path = join(directory, 'v.sock');
    const server = await startAdminServer({ path, handler: gateway.handler, onError: unexpected });
    try {
      await work(gateway, path);
    } finally {
      await server.close();
    }
  });
}

/** The error that `--json` prints. */
function errorOf(text: string): AdminError {
  return (JSON.parse(text) as { error: AdminError }).error;
}

describe('viable', () => {
  it('prints figures as JSON exactly as the gateway gave them', () =>
    withGateway(async (gateway, socket) => {
      const { snapshot } = gateway;
      const expected: readonly [string, unknown][] = [
        ['status', snapshot],
        ['tree', snapshot.tree],
        ['upstreams', snapshot.upstreams],
        ['alarms', snapshot.alarms],
        ['ack 7', snapshot.alarms.active[0]],
        ['policy mode', snapshot.vsm.policy],
      ];
      for (const [command, value] of expected) {
        const { code, out } = await run(`--socket ${socket} ${command} --json`);
        assert.equal(code, EXIT_CODES.ok);
        assert.deepEqual(JSON.parse(out), JSON.parse(JSON.stringify(value)), command);
      }
    }));

  it('fits its tables to the terminal and lets nothing foreign through', () =>
    withGateway(async (_, socket) => {
      for (const command of [
        'status',
        'tree',
        'connections',
        'upstreams',
        'logs',
        'send --list',
        'alarms',
        'alarms --history',
        'vsm',
        'ack 7',
        'policy mode',
      ]) {
        const { code, out } = await run(`${command} --socket ${socket}`, { columns: 90, env: { NO_COLOR: '1' } });
        assert.equal(code, EXIT_CODES.ok);
        const lines = out.replace(/\u001b\[[17]?0?m/g, '').split('\n');
        assert.doesNotMatch(lines.join(''), /[\u0000-\u001f\u007f-\u009f\u200b\u202e]/u, command);
        if (command !== 'logs')
          assert.ok(
            lines.every((line) => textWidth(line) <= 90),
            command,
          );
      }
    }));

  it('colours for people only, and never without words', () =>
    withGateway(async (_, socket) => {
      const colored = await run(`upstreams --socket ${socket}`, { columns: 120 });
      assert.ok(colored.out.includes('\u001b[32m● ready'));
      const bare = await run(`upstreams --socket ${socket}`, { columns: 120, env: { NO_COLOR: '1' } });
      assert.doesNotMatch(bare.out, /\u001b\[3/);
      const piped = await run(`upstreams --socket ${socket}`);
      assert.doesNotMatch(piped.out, /\u001b/);
      assert.match(piped.out, /tickets +▲ backoff .*EC?ONNREFUSED 203\.0\.113\.9:443/);
    }));

  it('draws the tree with state, restarts, mailbox and fault', () =>
    withGateway(async (_, socket) => {
      const { out } = await run(`tree --socket ${socket} --filter tickets`);
      assert.match(out, /^ACTOR +STATE +RESTARTS +MAILBOX/);
      assert.match(out, /└─ upstream:tickets rest_for_one/);
      assert.match(out, /└─ session +▲ restarting +9 +0 .*ECONNREFUSED/);
      assert.doesNotMatch(out, /memory/);
    }));

  it('sends messages by near names, and says what it could have meant', () =>
    withGateway(async (gateway, socket) => {
      const sent = await run(`send limiter set-rate role=guest perMinute=20 --socket ${socket} --json`);
      assert.deepEqual(JSON.parse(sent.out), { accepted: 'set-rate', args: { role: 'guest', perMinute: 20 } });
      assert.deepEqual(gateway.received.at(-1)?.params?.['actor'], '/admission/limiter');
      const actor = await run(`send limitr set-rate --socket ${socket}`);
      assert.equal(actor.code, EXIT_CODES.refused);
      assert.match(actor.err, /Did you mean: \/admission\/limiter\?/);
      const message = await run(`send limiter set-rat --socket ${socket} --json`);
      assert.equal(message.code, EXIT_CODES.refused);
      assert.deepEqual(errorOf(message.err).suggestions, ['set-rate']);
      const bare = await run(`send limiter --socket ${socket}`);
      assert.equal(bare.code, EXIT_CODES.usage);
      const list = await run(`send --list --socket ${socket}`);
      assert.match(list.out, /set-rate role=… perMinute=… \[burst\]=…/);
    }));

  it('kills one actor, never one of several', () =>
    withGateway(async (gateway, socket) => {
      const killed = await run(`kill memory --socket ${socket}`);
      assert.equal(killed.out, 'Killed /operations/upstreams/upstream:memory.\n');
      const before = gateway.received.filter(({ method }) => method === 'kill').length;
      const several = await run(`kill session --socket ${socket}`);
      assert.equal(several.code, EXIT_CODES.refused);
      assert.match(several.err, /upstream:memory\/session/);
      assert.equal(gateway.received.filter(({ method }) => method === 'kill').length, before);
    }));

  it('starts what was stopped for good, and says so when it runs', () =>
    withGateway(async (_, socket) => {
      const { out } = await run(`restart /viability/policy --socket ${socket}`);
      assert.equal(out, 'Started /viability/policy.\n');
      const refused = await run(`restart memory --socket ${socket} --json`);
      assert.deepEqual([refused.code, errorOf(refused.err).code], [EXIT_CODES.refused, 'actor_running']);
    }));

  it('shows the viable system: figures, leases, findings, events', () =>
    withGateway(async (gateway, socket) => {
      const { out } = await run(`vsm --socket ${socket}`);
      assert.match(out, /S1 variety absorption +0\.97/);
      assert.match(out, /S5 policy +conserve, an operator said so/);
      assert.match(out, /upstream:memory +256 +256 +1/);
      assert.match(out, /upstream:memory +4\.2 ms +as reported/);
      assert.match(out, /environment +upstream:memory +it is now 1\.5/);
      assert.equal(gateway.received.at(-1)?.method, 'status');
    }));

  it('takes note of alarms by number, and says so when there is none of that number', () =>
    withGateway(async (gateway, socket) => {
      const { out } = await run(`ack 7 --socket ${socket}`);
      assert.match(out, /^Noted: upstream:tickets down_ms, upstream "tickets" is away/);
      assert.equal((await run(`ack 99 --socket ${socket}`)).code, EXIT_CODES.refused);
      assert.equal((await run(`ack none --socket ${socket}`)).code, EXIT_CODES.usage);
      await run(`policy mode lockdown --socket ${socket}`);
      assert.deepEqual(gateway.received.at(-1)?.params, { mode: 'lockdown' });
      assert.equal((await run(`policy mode panic --socket ${socket}`)).code, EXIT_CODES.usage);
    }));

  it('repeats with --watch until stopped', () =>
    withGateway(async (gateway, socket) => {
      const waits: number[] = [];
      const { out } = await run(`status --json --watch 0.5 --socket ${socket}`, {
        onSleep: (ms, stop) => {
          waits.push(ms);
          gateway.tick({ pid: waits.length });
          if (waits.length === 3) stop();
        },
      });
      const pids = out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { pid: number }).pid);
      assert.deepEqual(
        [waits, pids],
        [
          [500, 500, 500],
          [4_711, 1, 2],
        ],
      );
      assert.equal((await run(`status --watch soon --socket ${socket}`)).code, EXIT_CODES.usage);
    }));

  it('follows logs until stopped', () =>
    withGateway(async (gateway, socket) => {
      let logged = false;
      const { code, out } = await run(`logs -n 1 -f --level error --json --socket ${socket}`, {
        onOutput: (text, stop) => {
          if (text.trim().split('\n').length === 2) stop();
          else if (!logged) {
            logged = true;
            setImmediate(() => gateway.log(fakeLog(4)));
          }
        },
      });
      assert.equal(code, EXIT_CODES.ok);
      assert.equal(out.trim().split('\n').length, 2);
    }));

  it('starts the dashboard on the socket it found and passes its exit code on', async () => {
    const { code, ran } = await run('top --socket /some.sock --interval 250');
    assert.equal(code, 7);
    assert.equal(ran[0], process.execPath);
    assert.match(ran[1] ?? '', /tui\/main\.js$/);
    assert.deepEqual(ran.slice(2), ['--socket', '/some.sock', '--interval', '250']);
  });

  it('says how to get a gateway when there is none', async () => {
    const { code, err } = await run('status --socket /nowhere/v.sock');
    assert.equal(code, EXIT_CODES.noGateway);
    assert.equal(
      err,
      'viable: No gateway is listening on /nowhere/v.sock; start one with `npm start` or name its socket with --socket.\n',
    );
    const json = await run('status --socket /nowhere/v.sock --json');
    assert.equal(errorOf(json.err).code, 'no_gateway');
  });

  it('helps: version, help with examples and exit codes, near misses of commands', async () => {
    assert.match((await run('--version')).out, /^\d+\.\d+\.\d+/);
    const help = await run('--help');
    assert.equal(help.code, EXIT_CODES.ok);
    assert.ok(help.out.includes(EXIT_CODES_HELP));
    for (const command of ['status', 'tree', 'connections', 'upstreams', 'send', 'kill', 'top', 'logs']) {
      assert.ok(help.out.includes(`\n  ${command} `), command);
      assert.match((await run(`${command} --help`)).out, /Examples:\n {2}viable/, command);
    }
    const slip = await run('stauts');
    assert.equal(slip.code, EXIT_CODES.usage);
    assert.match(slip.err, /Did you mean status\?/);
    assert.equal((await run('logs -n many')).code, EXIT_CODES.usage);
  });
});

describe('arguments of send', () => {
  it('are JSON where they are JSON and text otherwise', () => {
    const parsed = parseArguments(['a=1', 'b=true', 'c=x=y', 'd="1"', 'e=', 'f={"g":[1]}']);
    assert.deepEqual(parsed, { a: 1, b: true, c: 'x=y', d: '1', e: '', f: { g: [1] } });
    assert.equal(parseArguments([]), undefined);
    assert.deepEqual(parseArguments([], '[1]'), [1]);
  });

  it('are refused when they are neither', () => {
    assert.throws(() => parseArguments(['novalue']), /key=value/);
    assert.throws(() => parseArguments(['a=1'], '{}'), /not both/);
    assert.throws(() => parseArguments([], '{'), /not JSON/);
  });
});
