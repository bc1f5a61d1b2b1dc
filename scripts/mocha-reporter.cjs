/**
 * Mocha's readable report, and the counts of the run as `PASSES FAILURES` in the file that VIABLE_TEST_COUNTS names: what
 * `.ci/run` adds up. Failures of hooks count as mocha counts them.
 */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env['VIABLE_TEST_COUNTS'];
    if (file === undefined) return;
    runner.once('end', () => writeFileSync(file, `${this.stats.passes} ${this.stats.failures}\n`));
  }
};
