/** Every command that speaks to a gateway says the same when there is none, and ends the same way. */
import assert from 'node:assert/strict';
import { type Command } from 'commander';
import { EXIT_CODES } from '#src/cli/exit-codes.js';
import { buildProgram } from '#src/cli/program.js';
import { io, run } from '../../support/admin/cli.js';

/** They need none, or start what they need. */
const ALONE = new Set([
  'token create',
  'token verify',
  'token refresh',
  'init',
  'client-config',
  'doctor',
  'top',
  'stdio',
  'completion',
]);
/** What must stand behind the others. */
const WORDS: Readonly<Record<string, string>> = {
  'breaker show': 'github',
  'breaker open': 'github',
  'breaker half-open': 'github',
  'breaker close': 'github',
  ack: '7',
  'policy check': '--as user --tool github__read',
  send: 'catalogue refresh',
  kill: 'catalogue',
  restart: 'catalogue',
  'tools diff': 'github__read',
  'tools accept': 'github__read',
  'token revoke': '--jti 7',
  'upstream login': 'github',
};
const SENTENCE =
  'viable: No gateway is listening on /nowhere/v.sock; start one with `npm start` or name its socket with --socket.\n';

function leaves(command: Command, path: readonly string[] = []): string[] {
  const below = command.commands.filter((child) => child.name() !== 'help' && !child.name().startsWith('__'));
  if (below.length === 0) return [path.join(' ')];
  return below.flatMap((child) => leaves(child, [...path, child.name()]));
}

describe('without a gateway', () => {
  const all = leaves(buildProgram(io(), () => undefined));

  it('no command is forgotten here', () => {
    for (const name of [...ALONE, ...Object.keys(WORDS)]) assert.ok(all.includes(name), `there is no ${name}`);
  });

  for (const name of all.filter((one) => !ALONE.has(one))) {
    it(`viable ${name} says how to get one: exit code 3`, async () => {
      const line = [name, WORDS[name] ?? '', '--socket /nowhere/v.sock'].filter((part) => part !== '').join(' ');
      const { code, out, err } = await run(line);
      assert.deepEqual({ code, out, err }, { code: EXIT_CODES.noGateway, out: '', err: SENTENCE });
    });
  }
});
