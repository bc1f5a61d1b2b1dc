import assert from 'node:assert/strict';
import { accepted, load, problemAt, refused } from './support.js';

async function argOf(text: string, env: Record<string, string>): Promise<string | undefined> {
  const { config } = accepted(await load({ mcpServers: { s: { command: 'x', args: [text] } } }, { env }));
  const target = config.servers.get('s')?.target;
  return target?.transport === 'stdio' ? target.args[0] : undefined;
}

describe('config/expand', () => {
  const cases: [text: string, expected: string][] = [
    ['${A}', '1'],
    ['x${A}y${B}z', 'x1y2z'],
    ['${env:A}', '1'],
    ['${NO:-d}', 'd'],
    ['${NO:-}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY}', ''],
    ['${A:-d}', '1'],
    ['${NO:-http://h:1/?a=b}', 'http://h:1/?a=b'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$${$${A}', '${${A}'],
    ['$A $', '$A $'],
    ['${TRICKY}', '${A} $& $1'],
  ];
  for (const [text, expected] of cases) {
    it(`${text} becomes ${JSON.stringify(expected)}`, async () => {
      assert.equal(await argOf(text, { A: '1', B: '2', EMPTY: '', TRICKY: '${A} $& $1' }), expected);
    });
  }

  const wrong: [text: string, message: RegExp, suggestion: RegExp][] = [
    ['${NO}', /`NO` is not set/, /\$\{NO:-/],
    ['${env:NO}', /`NO` is not set/, /\$\{NO:-/],
    ['${constructor}', /`constructor` is not set/, /set it/],
    ['${input:key}', /nobody can be asked/, /environment variable/],
    ['${workspaceFolder}/x', /editors only/, /relative to this file/],
    ['${A', /without `}`/, /\$\$\{/],
    ['${a b}', /no environment variable/, /\$\$\{/],
    ['${}', /no environment variable/, /\$\$\{/],
  ];
  for (const [text, message, suggestion] of wrong) {
    it(`refuses ${text}`, async () => {
      const problems = refused(await load({ mcpServers: { s: { command: 'x', args: ['a', text] } } }));
      const problem = problemAt(problems, 'mcpServers.s.args[1]');
      assert.match(problem.message, message);
      assert.match(problem.suggestion!, suggestion);
      assert.equal(problems.length, 1);
    });
  }

  it('lets a variable stand for a number, a switch or a word, and checks what it holds', async () => {
    const file = {
      mcpServers: { s: { command: 'x', disabled: '${OFF}' } },
      gateway: { listen: { port: '${PORT:-4100}' }, logging: { level: '${LEVEL}' } },
    };
    const env = { OFF: 'true', LEVEL: 'debug' };
    const { config } = accepted(await load(file, { env }));
    assert.equal(config.gateway.listen.port, 4100);
    assert.equal(config.gateway.logging.level, 'debug');
    assert.equal(config.servers.get('s')?.disabled, true);
    const problems = refused(await load(file, { env: { ...env, PORT: '70000', OFF: 'perhaps' } }));
    assert.match(problemAt(problems, 'gateway.listen.port').message, /at most 65535/);
    assert.match(problemAt(problems, 'mcpServers.s.disabled').message, /true or false/);
  });
});
