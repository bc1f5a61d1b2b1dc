/** Configuration files for tests: written to a folder of their own that is removed afterwards. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '#src/config/load.js';
import type { Config, ConfigOverrides, ConfigProblem, Environment, LoadResult } from '#src/config/types.js';

/** Runs `use` with a fresh folder. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'viable-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface LoadInput {
  readonly name?: string;
  readonly env?: Environment;
  readonly overrides?: ConfigOverrides;
}

/** Loads `content`: text as it is, anything else as JSON. */
export function load(content: unknown, { name = 'viable.json', env = {}, overrides = {} }: LoadInput = {}) {
  return withFolder(async (folder): Promise<LoadResult> => {
    const file = path.join(folder, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    return loadConfig({ file, env, overrides });
  });
}

/** The configuration, or a failure that shows what was wrong with it. */
export function accepted(result: LoadResult): { config: Config; warnings: readonly ConfigProblem[] } {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.problems)}`);
  return result;
}

export function refused(result: LoadResult): readonly ConfigProblem[] {
  if (result.ok) throw new Error('accepted');
  return result.problems;
}

/** The problem at `path`; fails with all of them when there is none. */
export function problemAt(problems: readonly ConfigProblem[], path: string): ConfigProblem {
  const found = problems.find((problem) => problem.path === path);
  if (found === undefined) throw new Error(`no problem at ${path}: ${JSON.stringify(problems)}`);
  return found;
}
