/**
 * `npm run conformance`: the official MCP conformance suite against the fixtures and, through the gateway, between
 * clients and servers of every pair of eras. See combinations.ts for what runs, expected-failures.json for what cannot
 * pass and why.
 *
 * --only SCENARIO         these scenarios alone (repeatable)
 * --combination NAME      these combinations alone (repeatable; a prefix is enough)
 * --json FILE             verdicts as JSON
 * --update                write the baseline to match, keeping reasons
 *
 * Ends with status 1 when a scenario fails that is not listed, or one passes that is listed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './gateway.js';
import { type Combination, jobs, runCombination } from './combinations.js';
import { type Baseline, report, type Results, updated } from './report.js';
import { Suite, type Verdict } from './suite.js';

/** Gateways under test at the same time: a gateway and the suite keep a core busy. */
const PARALLEL = 2;
const BASELINE = path.join(ROOT, 'test/conformance/expected-failures.json');

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    combination: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    update: { type: 'boolean', default: false },
  },
});

function wanted({ name }: Combination): boolean {
  return values.combination.length === 0 || values.combination.some((prefix) => name.startsWith(prefix));
}

async function runAll(suite: Suite): Promise<Results> {
  const results = new Map<Combination, Map<string, Verdict>>();
  const queue = jobs
    .map((job) => ({ job, chosen: job.combinations.filter(wanted) }))
    .filter(({ chosen }) => chosen.length > 0);
  for (const { chosen } of queue) for (const combination of chosen) results.set(combination, new Map());
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const target = await next.job.start();
      try {
        for (const combination of next.chosen) {
          results.set(combination, await runCombination(suite, target.url, combination, values.only));
          process.stderr.write(`${combination.name}\n`);
        }
      } finally {
        await target.stop();
      }
    }
  };
  // All end, and with them what they started, before one's failure is told.
  const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, work));
  for (const worker of ended) if (worker.status === 'rejected') throw worker.reason;
  return results;
}

async function save(file: string, results: Results): Promise<void> {
  const plain = [...results].map(([{ name }, verdicts]) => [name, Object.fromEntries(verdicts)] as const);
  await writeFile(file, `${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`);
}

const baseline = JSON.parse(await readFile(BASELINE, 'utf8')) as Baseline;
const results = await runAll(await Suite.open());
if (values.json !== undefined) await save(values.json, results);
const next = values.update ? updated(results, baseline) : baseline;
if (values.update) await writeFile(BASELINE, `${JSON.stringify(next, null, 2)}\n`);
const { text, counts } = report(results, next);
const failed = counts.failed + counts.stale;
process.stdout.write(`${text}\n\n${counts.expected} failed as listed\n`);
process.stdout.write(`${counts.passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
