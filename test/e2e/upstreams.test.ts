/**
 * Bad upstreams beside a good one. All of them run at once behind one gateway, in trouble from the first moment to the
 * last: the good one's tools are there and answer all the same.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { FIXTURE_TOOLS, textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { isAlive } from '../support/processes.js';
import { type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

/** Long enough for a good upstream on a busy machine, short enough to see `hang` time out. */
const HANDSHAKE_TIMEOUT = 5_000;
const HANG_TIMEOUT = 500;
const REQUEST_TIMEOUT = 1_000;

describe('bad upstreams', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;

  before(async () => {
    hub = await FixtureHub.start();
    const hasty = { viable: { timeouts: { connect: HANG_TIMEOUT, request: HANG_TIMEOUT } } };
    gateway = await startGateway({
      config: {
        mcpServers: {
          missing: { command: 'no-such-command-anywhere', args: ['--flag'] },
          'slow-start': { ...hub.stdio('raw/slow-start', 'slow-start'), viable: { timeouts: { connect: 600_000 } } },
          hang: { ...hub.stdio('raw/hang', 'hang'), ...hasty },
          'crash-loop': hub.stdio('raw/crash-loop', 'crash-loop'),
          refused: { url: 'http://127.0.0.1:1/mcp' },
          garbage: hub.stdio('raw/garbage', 'garbage'),
          many: hub.stdio('raw/many-tools', 'many'),
          'stderr-flood': hub.stdio('raw/stderr-flood', 'stderr-flood'),
          'duplicate-answers': hub.stdio('raw/duplicate-answers', 'duplicate-answers'),
          'dies-in-call': hub.stdio('raw/dies-in-call', 'dies-in-call'),
          impatient: { ...hub.stdio('sdk-server', 'impatient'), viable: { timeouts: { request: REQUEST_TIMEOUT } } },
          heir: {
            ...hub.stdio('sdk-server', 'heir'),
            env: { ITS_OWN: 'five' },
            viable: { inheritEnv: ['CHOSEN_BY_NAME', 'CHOSEN_BY_GLOB_*'] },
          },
          good: hub.stdio('sdk-server', 'good'),
        },
        gateway: settings({ upstreams: { connectTimeout: HANDSHAKE_TIMEOUT } }),
      },
      env: {
        VIABLE_E2E_SECRET: 'do not hand me on',
        AWS_SECRET_ACCESS_KEY: 'nor me',
        CHOSEN_BY_NAME: 'one',
        CHOSEN_BY_GLOB_A: 'two',
        CHOSEN_BY_GLOB_B: 'three',
        CHOSEN_BY_NOBODY: 'four',
      },
    });
    await gateway.waitForTools([...FIXTURE_TOOLS.map((tool) => `good__${tool}`), 'impatient__slow', 'heir__env']);
    client = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  const call = async (name: string, args: Record<string, unknown> = {}): Promise<Wire> =>
    await client.request('tools/call', { name, arguments: args });

  /** The good upstream is listed and answers, at this very moment. */
  async function goodIsWell(): Promise<void> {
    const text = randomUUID();
    assert.equal(textOf((await call('good__echo', { text })).result), text);
    assert.equal((await gateway.upstream('good')).state, 'ready');
  }

  /** All tools that a client sees now, by aggregated name. */
  async function listed(): Promise<string[]> {
    const names: string[] = [];
    let cursor: unknown;
    do {
      const { result } = await client.request('tools/list', cursor === undefined ? {} : { cursor });
      names.push(...(result?.['tools'] as { name: string }[]).map((tool) => tool.name));
      cursor = result?.['nextCursor'];
    } while (cursor !== undefined);
    return names;
  }

  const typed = (answer: Wire): number => {
    assert.ok(answer.error, JSON.stringify(answer));
    assert.ok(Number.isInteger(answer.error.code));
    assert.ok(answer.error.message.length > 0);
    return answer.error.code;
  };

  it('a command that does not exist', async () => {
    const bad = await gateway.waitForUpstream('missing', (u) => u.lastError !== null, 'has failed');
    assert.ok(bad.state === 'backoff' || bad.state === 'connecting', bad.state);
    assert.match(bad.lastError!.message, /no-such-command-anywhere/);
    assert.equal(bad.tools, 0);
    await goodIsWell();
  });

  it('a server that nobody answers for', async () => {
    const bad = await gateway.waitForUpstream('refused', (u) => u.lastError !== null, 'has failed');
    assert.match(bad.lastError!.message, /refused|ECONNREFUSED/i);
    await goodIsWell();
  });

  it('one that crashes in a loop', async () => {
    const bad = await gateway.waitForUpstream('crash-loop', (u) => u.failures >= 3 || u.lastError !== null, 'failed');
    assert.notEqual(bad.state, 'ready');
    assert.match(bad.lastError!.message, /exit|code|3/);
    await gateway.waitForLog(
      (line) => JSON.stringify(line).includes('cannot read my licence file'),
      'its stderr in the log',
    );
    await goodIsWell();
  });

  it('one that answers initialize and then nothing', async () => {
    const bad = await gateway.waitForUpstream('hang', (u) => u.lastError !== null, 'has failed');
    assert.match(bad.lastError!.message, /time|answer|within/i);
    assert.equal((await listed()).filter((name) => name.startsWith('hang__')).length, 0);
    await goodIsWell();
  });

  it('one that starts slowly: served from the moment it is there, and announced', async () => {
    await hub.waitFor('slow-start', 'initialize');
    assert.ok(['connecting', 'initializing'].includes((await gateway.upstream('slow-start')).state));
    assert.ok(!(await listed()).includes('slow-start__late'));
    typed(await call('slow-start__late'));
    await goodIsWell();
    const from = client.messages.items.length;
    hub.tell('slow-start', 'release', { gate: 'start' });
    await client.messages.waitFor((m) => m.method === 'notifications/tools/list_changed', 'list_changed', from);
    await eventually(async () => assert.ok((await listed()).includes('slow-start__late')));
    assert.equal(textOf((await call('slow-start__late')).result), 'called late');
  });

  it('one that writes garbage: counted and survived', async () => {
    await gateway.waitForUpstream('garbage', (u) => u.state === 'ready' && u.junkBytes > 0, 'is ready');
    assert.equal(textOf((await call('garbage__echo', { text: 'through the noise' })).result), 'through the noise');
    for (const [name, bytes] of [
      ['long-text', 1 << 19],
      ['long-json', 10 << 20],
    ] as const) {
      const before = (await gateway.upstream('garbage')).junkBytes;
      assert.equal(textOf((await call(`garbage__${name}`)).result), name);
      assert.ok((await gateway.upstream('garbage')).junkBytes >= before + bytes);
    }
    await goodIsWell();
  });

  for (const [what, name] of [
    ['10 MB of text in a line', 'longer-text'],
    ['a line without an end', 'endless'],
  ] as const) {
    it(`one that writes ${what}: one typed error, restarted`, async () => {
      const { pid, reconnects } = await gateway.upstream('garbage');
      typed(await call(`garbage__${name}`));
      await goodIsWell();
      const again = await gateway.waitForUpstream(
        'garbage',
        (u) => u.state === 'ready' && u.reconnects > reconnects,
        'is back',
      );
      assert.notEqual(again.pid, pid);
      assert.match(again.lastError!.message, /line on stdout is larger than the limit of 1048576 bytes/);
      assert.equal(textOf((await call('garbage__echo', { text: 'again' })).result), 'again');
    });
  }

  it('one that lists 5,000 tools', async () => {
    const many = await gateway.waitForUpstream('many', (u) => u.state === 'ready' && u.tools === 5_000, 'is listed');
    assert.equal(many.lastError, null);
    const names = await listed();
    assert.equal(names.filter((name) => name.startsWith('many__')).length, 5_000);
    assert.equal(new Set(names).size, names.length);
    for (const tool of FIXTURE_TOOLS) assert.ok(names.includes(`good__${tool}`));
    await goodIsWell();
  });

  it('one that floods stderr: lines reach the log without control characters', async () => {
    await hub.waitFor('stderr-flood', 'flooded');
    await gateway.waitForUpstream('stderr-flood', (u) => u.state === 'ready', 'is ready');
    assert.equal(textOf((await call('stderr-flood__echo', { text: 'over the noise' })).result), 'over the noise');
    const line = await gateway.waitForLog((record) => JSON.stringify(record).includes('noise noise'), 'its stderr');
    const texts = Object.values(line).filter((value) => typeof value === 'string');
    // C0, C1 and bidirectional controls.
    for (const text of texts) assert.doesNotMatch(text, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    await goodIsWell();
  });

  it('one that answers twice and unasked: the client sees one answer, the rest is counted', async () => {
    await gateway.waitForUpstream('duplicate-answers', (u) => u.state === 'ready', 'is ready');
    const from = client.messages.items.length;
    for (const text of ['first', 'next']) {
      assert.equal(textOf((await call('duplicate-answers__echo', { text })).result), text);
    }
    await client.request('ping');
    const answers = client.messages.items.slice(from).filter((message) => message.method === undefined);
    assert.equal(answers.length, 3, JSON.stringify(answers));
    assert.ok(!(await listed()).includes('duplicate-answers__ghost'));
    const drops = (await gateway.status()).drops.filter((drop) => /unknown|duplicate|late/.test(drop.reason));
    assert.ok(
      drops.some((drop) => drop.count > 0),
      JSON.stringify(drops),
    );
    await goodIsWell();
  });

  it('one that exits in a call: exactly one typed error, then it is back', async () => {
    await gateway.waitForUpstream('dies-in-call', (u) => u.state === 'ready', 'is ready');
    const from = client.messages.items.length;
    typed(await call('dies-in-call__die'));
    await gateway.waitForUpstream('dies-in-call', (u) => u.state === 'ready' && u.reconnects > 0, 'is back');
    assert.equal(textOf((await call('dies-in-call__echo', { text: 'back' })).result), 'back');
    const answers = client.messages.items.slice(from).filter((message) => message.method === undefined);
    assert.equal(answers.length, 2);
    assert.match((await gateway.upstream('dies-in-call')).lastError!.message, /exit|code|closed/i);
    await goodIsWell();
  });

  it('one killed with SIGKILL in mid-call: exactly one typed error, tools back by themselves', async () => {
    const gate = randomUUID();
    const from = client.messages.items.length;
    const held = call('good__slow', { gate });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const { pid, reconnects } = await gateway.upstream('good');
    assert.ok(pid !== null && isAlive(pid));
    process.kill(pid, 'SIGKILL');
    typed(await held);
    await gateway.waitForUpstream('good', (u) => u.state === 'ready' && u.reconnects === reconnects + 1, 'is back');
    await eventually(async () => assert.ok((await listed()).includes('good__echo')));
    await goodIsWell();
    const answers = client.messages.items.slice(from).filter((m) => m.error !== undefined);
    assert.equal(answers.length, 1);
  });

  it('answers a call to an upstream that is down at once, with a typed error', async () => {
    typed(await call('missing__anything'));
    typed(await call('refused__anything'));
    await goodIsWell();
  });

  it('a request that gets no answer ends with a typed error after its timeout, the upstream is told', async () => {
    const gate = randomUUID();
    const held = call('impatient__slow', { gate });
    await hub.waitFor('impatient', 'cancelled', (event) => event['gate'] === gate);
    const answer = await held;
    typed(answer);
    assert.match(answer.error!.message, /time|within/i);
    assert.equal((await gateway.upstream('impatient')).state, 'ready', 'one slow call does not end the upstream');
    await goodIsWell();
  });

  const environmentOf = async (server: string): Promise<Record<string, string>> =>
    JSON.parse(textOf((await call(`${server}__env`)).result)) as Record<string, string>;

  it('hands its children an allowlist of its environment, no secrets', async () => {
    const environment = await environmentOf('good');
    assert.ok(environment['PATH']);
    const others = Object.keys(environment).filter((name) => /^(VIABLE_|AWS_|CHOSEN_)/.test(name));
    assert.deepEqual(others, []);
  });

  it('hands on what inheritEnv names, by name or glob, to that upstream alone', async () => {
    const [heir, good] = [await environmentOf('heir'), await environmentOf('good')];
    const more = Object.entries(heir).filter(([name, value]) => good[name] !== value);
    assert.deepEqual(Object.fromEntries(more), {
      ITS_OWN: 'five',
      CHOSEN_BY_NAME: 'one',
      CHOSEN_BY_GLOB_A: 'two',
      CHOSEN_BY_GLOB_B: 'three',
    });
    assert.deepEqual(
      Object.keys(good).filter((name) => !(name in heir)),
      [],
    );
  });

  it('writes nothing but JSON lines to its log', () => {
    assert.deepEqual(gateway.noise, []);
  });
});
