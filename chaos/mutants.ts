/**
 * Mutants: the product broken on purpose, one way each. A suite that lets one pass would not notice that fault in earnest.
 *
 * A mutant is a few replacements of text in the built product, each of which must fit exactly once: when the code has moved
 * on, the mutant is stale and says so. It runs as a copy, beside the build that it was made of.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MUTANTS, type Mutant } from './mutant-list.js';
import { PROOF, type Scenario } from './scenario.js';
import { problemsOf } from './scoreboard.js';
import { PRODUCT, World } from './world.js';

/** What a mutant loses is not waited for as long as what a slow machine may take. Milliseconds. */
const PATIENCE_MS = 5_000;

/** Runs the mutants of these scenarios, each through its own; `true` when every one was noticed. */
export async function proveMutants(scenarios: readonly Scenario[], random: () => () => number): Promise<boolean> {
  let all = true;
  for (const mutant of MUTANTS) {
    const scenario = scenarios.find(({ name }) => name === mutant.scenario);
    if (!scenario) continue;
    const problems = await noticed(mutant, scenario, random());
    if (problems.length === 0) all = false;
    const verdict = problems.length > 0 ? `noticed: ${problems.join('; ')}` : 'NOT NOTICED';
    process.stdout.write(`${mutant.name.padEnd(24)} ${scenario.name.padEnd(14)} ${verdict}\n`);
  }
  return all;
}

async function noticed(mutant: Mutant, scenario: Scenario, random: () => number): Promise<string[]> {
  const product = build(mutant);
  try {
    const context = { size: PROOF, random, newWorld: () => new World(product, PATIENCE_MS), progress: () => undefined };
    return problemsOf(await scenario.run(context).catch((error: unknown) => error as Error));
  } finally {
    rmSync(dirname(product), { recursive: true, force: true });
  }
}

/** A copy of the build, with the mutation in it. In the project's folder, so that its dependencies are found. */
function build({ name, edits }: Mutant): string {
  const root = dirname(PRODUCT);
  const folder = mkdtempSync(join(root, 'dist-test', 'mutant-'));
  const product = join(folder, 'dist');
  cpSync(PRODUCT, product, { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, find, replace } of edits) {
    const path = join(product, file);
    const before = readFileSync(path, 'utf8');
    if (before.split(find).length !== 2) throw new Error(`mutant ${name} is stale: its text is not once in ${file}`);
    writeFileSync(
      path,
      before.replace(find, () => replace),
    );
  }
  return product;
}
