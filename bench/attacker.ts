/**
 * One attack of `attack-list.ts`, a process of its own: attacks for as long as it is told and says how it was answered.
 *
 *   node dist-test/bench/attacker.js --attack bad-json --url http://127.0.0.1:4000/mcp --token TOKEN --seconds 5
 */
import { parseArgs } from 'node:util';
import { ATTACKS } from './attack-list.js';
import { announce, exitWithParent } from './lifeline.js';

exitWithParent();
const { values } = parseArgs({
  options: {
    attack: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
  },
});
const attack = ATTACKS.find(({ id }) => id === values.attack);
if (attack === undefined || values.url === undefined)
  throw new Error(`--url and --attack are needed; attacks: ${ATTACKS.map(({ id }) => id).join(', ')}`);
const answers = new Map<string, number>();
attack.begin({
  url: new URL(values.url),
  token: values.token,
  count: (answer) => answers.set(answer, (answers.get(answer) ?? 0) + 1),
});
setTimeout(
  () => {
    announce({ event: 'done', answers: Object.fromEntries(answers) });
    process.exit(0);
  },
  Number(values.seconds) * 1_000,
);
