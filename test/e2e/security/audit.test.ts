/** The audit log of a live gateway: what is on record, that tampering shows, and that a full disk stops nobody. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../../support/eventually.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { fetchRaw, HttpSession } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const SECRET = 'hunter2-must-not-be-on-record';
const KEY = 'an audit key of at least 32 characters';

type Row = Readonly<Record<string, unknown>>;

describe('audit log, end to end', () => {
  let hub: FixtureHub;
  let directory: string;
  let file: string;

  before(async () => {
    hub = await FixtureHub.start();
    directory = await mkdtemp(path.join(tmpdir(), 'viable-audit-'));
    file = path.join(directory, 'audit.jsonl');
  });
  after(async () => {
    await hub.close();
    await rm(directory, { recursive: true });
  });

  async function start(audit: object): Promise<Gateway> {
    const gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings({ audit: { ...audit } }) },
    });
    await gateway.waitForTools(['good__echo']);
    return gateway;
  }

  const viable = (gateway: Gateway | null, ...args: string[]): Promise<Run> =>
    runNode(CLI, [...(gateway === null ? [] : ['--socket', gateway.socketPath]), 'audit', ...args], {
      env: { AUDIT_KEY: KEY },
    });

  async function rows(gateway: Gateway, wanted: (row: Row) => boolean, count: number): Promise<Row[]> {
    return eventually(async () => {
      const { stdout, stderr } = await viable(gateway, 'tail', '--json', '-n', '1000');
      assert.equal(stderr, '');
      const found = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Row)
        .filter(wanted);
      if (found.length !== count) throw new Error(stdout);
      return found;
    });
  }

  it('has one line for each tool call and each admin command, without arguments; verify finds what was changed', async () => {
    const gateway = await start({ path: file, key: KEY });
    const session = await HttpSession.open(gateway.url);
    await session.request('tools/call', { name: 'good__echo', arguments: { text: SECRET } });
    await session.request('tools/call', { name: 'good__throws', arguments: {} });
    const slow = session
      .request('tools/call', { name: 'good__slow', arguments: { gate: 'g' } }, 'slow')
      .catch(() => undefined);
    await hub.waitFor('good', 'held');
    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'slow' } });
    await slow;
    const calls = await rows(gateway, ({ type }) => type === 'tool_call', 3);
    assert.deepEqual(calls.map(({ tool, outcome, server }) => [tool, outcome, server]).sort(), [
      ['echo', 'succeeded', 'good'],
      ['slow', 'cancelled', 'good'],
      ['throws', 'succeeded', 'good'],
    ]);
    for (const call of calls) assert.equal(call['argumentsHash'], undefined);
    await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: { origin: 'https://evil.example' } });
    const [denied] = await rows(gateway, ({ type }) => type === 'denial', 1);
    assert.deepEqual([denied?.['outcome'], denied?.['name']], ['forbidden_origin', 'https://evil.example']);
    await gateway.admin('send', { actor: 'upstream:good', message: 'reconnect' });
    const [sent] = await rows(gateway, ({ type }) => type === 'admin', 1);
    assert.deepEqual(
      [sent?.['method'], sent?.['target'], sent?.['outcome']],
      ['send', 'upstream:good reconnect', 'ok'],
    );
    await gateway.stop();
    const whole = await readFile(file, 'utf8');
    assert.ok(!whole.includes(SECRET));
    const good = await viable(null, 'verify', '--key-env', 'AUDIT_KEY', file);
    assert.match(good.stdout, /The chain holds: 7 lines in 1 files, numbers 1 to 7/);
    assert.equal((await viable(null, 'verify', file)).code, 1, 'without the key nothing is proven');
    await writeFile(file, whole.replace('"cancelled"', '"succeeded"'));
    const bad = await viable(null, 'verify', '--key-env', 'AUDIT_KEY', file);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /the chain breaks in .*audit\.jsonl, line \d+: the line was changed/);
    await rm(file);
  });

  it('hashes arguments where it is asked to: equal ones equally, whatever the order of their members', async () => {
    const gateway = await start({ path: file, arguments: 'hash' });
    const session = await HttpSession.open(gateway.url);
    await session.request('tools/call', { name: 'good__add', arguments: { a: 1, b: 2 } });
    await session.request('tools/call', { name: 'good__add', arguments: { b: 2, a: 1 } });
    await session.request('tools/call', { name: 'good__add', arguments: { a: 1, b: 3 } });
    const hashes = (await rows(gateway, ({ type }) => type === 'tool_call', 3)).map((row) => row['argumentsHash']);
    assert.match(String(hashes[0]), /^[0-9a-f]{64}$/);
    assert.deepEqual([hashes[0] === hashes[1], hashes[0] === hashes[2]], [true, false]);
    await gateway.stop();
    await rm(file);
  });

  it('a full disk stops no traffic, and the snapshot says so', async () => {
    const gateway = await start({ path: '/dev/full', queue: 16 });
    const session = await HttpSession.open(gateway.url);
    for (let i = 0; i < 40; i += 1) {
      const answer = await session.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
      assert.equal(answer.error, undefined);
    }
    const audit = await eventually(async () => {
      const snapshot = await gateway.status();
      if (snapshot.audit?.trouble === null) throw new Error('not noticed yet');
      return snapshot.audit;
    });
    assert.match(audit?.trouble ?? '', /ENOSPC/);
    assert.ok((audit?.dropped ?? 0) > 0);
    assert.equal(audit?.written, 0);
    await gateway.stop();
  });
});
