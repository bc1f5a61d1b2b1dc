/** A mutant whose text has moved on would prove nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS } from '../mutant-list.js';
import { SCENARIOS } from '../scenarios.js';
import { PRODUCT } from '../world.js';

describe('chaos/mutants', () => {
  it('each has a scenario', () => {
    const names = SCENARIOS.map(({ name }) => name);
    for (const { name, scenario } of MUTANTS) assert.ok(names.includes(scenario), `${name}: ${scenario}`);
  });

  for (const { name, edits } of MUTANTS) {
    it(`"${name}" fits the product`, () => {
      for (const { file, find } of edits) {
        assert.equal(readFileSync(join(PRODUCT, file), 'utf8').split(find).length - 1, 1, `${find} in ${file}`);
      }
    });
  }
});
