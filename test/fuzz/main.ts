/** `npm run fuzz -- [--minutes 5] [--seed N]`: fuzzes every transport in turn, seed after seed, until the time is over. */
import { parseArgs } from 'node:util';
import { fuzz, openFuzzWorld } from './run.js';
import { FUZZ_KINDS } from './targets.js';

const MESSAGES = 20_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } });
const end = Date.now() + Number(values.minutes) * 60_000;
let seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const world = await openFuzzWorld();
try {
  do {
    for (const kind of FUZZ_KINDS) {
      const begun = Date.now();
      await fuzz(world, kind, MESSAGES, seed);
      process.stdout.write(`${kind.name}: ${MESSAGES} messages of seed ${seed}, ${Date.now() - begun} ms\n`);
    }
    seed += 1;
  } while (Date.now() < end);
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nAgain: npm run fuzz -- --seed ${seed}\n`,
  );
  process.exitCode = 1;
} finally {
  await world.close();
}
