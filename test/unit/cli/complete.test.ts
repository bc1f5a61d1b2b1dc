import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Command } from 'commander';
import { startAdminServer } from '#src/admin/server.js';
import { complete, completionText, SOURCES } from '#src/cli/complete.js';
import type { CliIo } from '#src/cli/context.js';
import { buildProgram } from '#src/cli/program.js';
import { unexpected, withDirectory } from '../../support/admin/console.js';
import { FakeGateway } from '../../support/admin/fake-gateway.js';

const IO = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: { XDG_RUNTIME_DIR: '/nowhere' },
  signal: new AbortController().signal,
} as unknown as CliIo;

/** What could follow; the last word is being typed. */
async function after(line: string, socket?: string): Promise<readonly string[] | 'files'> {
  const io = socket === undefined ? IO : { ...IO, env: { VIABLE_ADMIN_SOCKET: socket } };
  const found = await complete(
    buildProgram(io, () => undefined),
    line.split(' '),
    io,
  );
  return found === 'files' ? found : found.map(({ value }) => value);
}

function walk(command: Command, path: readonly string[] = []): { command: Command; path: readonly string[] }[] {
  return [{ command, path }, ...command.commands.flatMap((child) => walk(child, [...path, child.name()]))];
}

describe('completion of words', () => {
  it('follows the commands as they are parsed', async () => {
    assert.deepEqual(await after('ups'), ['upstreams', 'upstream']);
    assert.deepEqual(await after('breaker '), ['list', 'show', 'open', 'half-open', 'close', 'help']);
    assert.deepEqual(await after('--json --socket /x br'), ['breaker']);
    assert.deepEqual(await after('policy mode '), ['normal', 'conserve', 'lockdown']);
    assert.deepEqual(await after('logs --level w'), ['warn']);
    assert.deepEqual(await after('logs --level=w'), ['--level=warn']);
    assert.deepEqual(await after('features disable dr'), ['draining']);
    assert.deepEqual(await after('status --watch --js'), ['--json']);
    assert.equal(await after('doctor --config '), 'files');
    assert.equal(await after('audit verify '), 'files');
    assert.deepEqual(await after('status x'), []);
  });

  it('offers no option twice, but for those that may be repeated', async () => {
    const offered = await after('drain --wait --timeout 5s --');
    assert.ok(offered.includes('--grace') && !offered.includes('--wait') && !offered.includes('--timeout'));
    assert.ok((await after('init --from a --')).includes('--from'));
  });

  it('asks the gateway for names, and is silent without one', () =>
    withDirectory(async (directory) => {
      const socket = join(directory, 'v.sock');
      const gateway = new FakeGateway();
      const server = await startAdminServer({ path: socket, handler: gateway.handler, onError: unexpected });
      try {
        assert.deepEqual(await after('drain --upstream mem', socket), ['memory']);
        assert.deepEqual(await after('breaker show tick', socket), ['tickets']);
        assert.deepEqual(await after('kill upstream:mem', socket), ['upstream:memory']);
        assert.ok((await after('kill /operations/upstreams/upstream:mem', socket)).length > 0);
        assert.deepEqual(await after('send limiter set', socket), ['set-rate']);
        assert.deepEqual(
          await after('ack ', socket),
          gateway.snapshot.alarms.active.map(({ id }) => String(id)),
        );
        assert.ok((await after('tools diff ', socket)).length > 0);
        assert.ok((await after('drain --session ', socket)).length > 0);
      } finally {
        await server.close();
      }
      assert.deepEqual(await after('drain --upstream mem', socket), []);
    }));

  it('knows of every argument and every value what it may be', () => {
    const program = buildProgram(IO, () => undefined);
    const places = walk(program).flatMap(({ command, path }) =>
      command.registeredArguments
        .filter(({ argChoices }) => argChoices === undefined)
        .map((argument) => [...path, argument.name()].join(' ')),
    );
    assert.deepEqual(
      places.filter((place) => SOURCES[place] === undefined),
      [],
    );
    const flags = new Set(walk(program).flatMap(({ command }) => command.options.map(({ long }) => long)));
    const stale = Object.keys(SOURCES).filter((place) => !places.includes(place) && !flags.has(place));
    assert.deepEqual(stale, []);
  });

  it('says one a line, without what a terminal would obey', () => {
    assert.equal(completionText('files'), ':files\n');
    assert.equal(completionText([{ value: 'a', description: 'b\nc\u001b[31m' }]).split('\n').length, 2);
    assert.doesNotMatch(completionText([{ value: 'a\u001b]0;x\u0007', description: '' }]), /[\u001b\u0007]/);
  });
});
