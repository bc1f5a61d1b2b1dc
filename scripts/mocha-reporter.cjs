/**
 * Mocha's readable report, and the counts of the run as `PASSES FAILURES` in the first line of the file that
 * VIABLE_TEST_COUNTS names: what `.ci/run` adds up. What failed follows, one test a line with what its error says, for
 * `.ci/run` to say again at its end. Failures of hooks count as mocha counts them. A run that does not end by itself after its
 * last test is ended, as a failure.
 */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

const LEFT_OPEN_MS = 20_000;
const MAX_CHARS = 500;

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env['VIABLE_TEST_COUNTS'];
    if (file === undefined) return;
    const failed = [];
    runner.on('fail', (test, error) => {
      const said = String(error?.message ?? error).replace(/\s+/g, ' ');
      failed.push(`${test.fullTitle()}: ${said.slice(0, MAX_CHARS)}\n`);
    });
    runner.once('end', () => {
      writeFileSync(file, `${this.stats.passes} ${this.stats.failures}\n${failed.join('')}`);
      // Keeps nothing alive itself: it fires only when something else does.
      setTimeout(() => {
        process.stderr.write('A test left something open: the run does not end by itself.\n');
        // Mocha sets the exit code in a listener of its own; this one comes after it.
        process.once('exit', () => {
          process.exitCode = 1;
        });
        process.exit();
      }, LEFT_OPEN_MS).unref();
    });
  }
};
