/**
 * `npm run chaos`: breaks the gateway and its upstreams under load and counts what clients got. Progress on stderr, the
 * scoreboard on stdout. Exit code 1 when a bar is missed; 2 for a wrong command line.
 */
import { Command, InvalidArgumentError } from 'commander';
import { proveMutants } from './mutants.js';
import { FULL, type Scenario, scaled, SHORT, type Size } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { problemsOf, type Row, scoreboard } from './scoreboard.js';
import { PRODUCT, World } from './world.js';

interface Options {
  readonly short?: true;
  readonly scale: number;
  readonly only?: readonly string[];
  readonly seed: number;
  readonly json?: true;
  readonly mutants?: true;
  readonly list?: true;
}

/** mulberry32: a small generator whose stream is its seed's. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function names(text: string): readonly string[] {
  const wanted = text.split(',').map((name) => name.trim());
  const known = SCENARIOS.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`one or more of ${known.join(', ')}`);
  return wanted;
}

function factor(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('more than 0, 100 at most');
  return value;
}

async function run(scenarios: readonly Scenario[], size: Size, seed: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    process.stderr.write(`${scenario.name}: ${scenario.about}\n`);
    const began = performance.now();
    const context = {
      size,
      random: seeded(seed),
      newWorld: () => new World(PRODUCT),
      progress: (text: string) => void process.stderr.write(`  ${text}\n`),
    };
    const result = await scenario.run(context).catch((error: unknown) => error as Error);
    const problems = problemsOf(result);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    process.stderr.write(`  ${problems.length === 0 ? 'met' : problems.join('; ')} (${seconds} s)\n`);
    rows.push({ name: scenario.name, result });
  }
  return rows;
}

async function main(options: Options): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name }) => options.only?.includes(name) ?? true);
  if (options.list) {
    for (const { name, about } of scenarios) process.stdout.write(`${name.padEnd(16)} ${about}\n`);
    return;
  }
  if (options.mutants) {
    process.exitCode = (await proveMutants(scenarios, () => seeded(options.seed))) ? 0 : 1;
    return;
  }
  const rows = await run(scenarios, scaled(options.short ? SHORT : FULL, options.scale), options.seed);
  process.stdout.write(options.json ? `${JSON.stringify(jsonOf(rows), null, 2)}\n` : `${scoreboard(rows)}\n`);
  if (rows.some(({ result }) => problemsOf(result).length > 0)) process.exitCode = 1;
}

function jsonOf(rows: readonly Row[]): unknown {
  return rows.map(({ name, result }) => ({
    name,
    missed: problemsOf(result),
    ...(result instanceof Error
      ? {}
      : { ...result, verdict: { ...result.verdict, errors: Object.fromEntries(result.verdict.errors) } }),
  }));
}

const program = new Command('chaos')
  .description('Breaks the gateway and its upstreams under load; every call must be answered exactly once.')
  .option('--short', 'a few faults of each kind: about two minutes')
  .option('--scale <factor>', 'so many times as many faults: 0.1 tries a full run out', factor, 1)
  .option('--only <names>', 'some scenarios, with commas between', names)
  .option('--seed <number>', 'of the random moments and victims', (text) => Number(text), 1)
  .option('--json', 'the scoreboard as JSON')
  .option('--mutants', 'break the product on purpose, one way after another: each must be noticed')
  .option('--list', 'what there is')
  .action((options: Options) => main(options));
await program.parseAsync();
