/** 100,000 fuzzed messages a transport, of a fixed seed: no crash, no defect, a right answer after every thousand. */
import { fuzz, type FuzzWorld, openFuzzWorld } from '../../fuzz/run.js';
import { FUZZ_KINDS } from '../../fuzz/targets.js';

const MESSAGES = 100_000;
const SEED = 20_261_124;

describe('fuzz', function () {
  this.timeout(120_000);
  let world: FuzzWorld;
  before(async () => {
    world = await openFuzzWorld();
  });
  after(async () => {
    await world.close();
  });

  for (const kind of FUZZ_KINDS) it(`${kind.name}: ${MESSAGES} messages`, () => fuzz(world, kind, MESSAGES, SEED));
});
