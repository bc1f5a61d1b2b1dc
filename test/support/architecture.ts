/** Runs the import rules of `.dependency-cruiser.cjs` over a folder laid out like the repository. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type ICruiseOptions, type IConfiguration } from 'dependency-cruiser';

const require = createRequire(import.meta.url);

interface Config {
  readonly forbidden: NonNullable<IConfiguration['forbidden']>;
  readonly options: ICruiseOptions & { readonly enhancedResolveOptions?: object };
}

export interface Checked {
  /** How many modules were looked at. */
  readonly modules: number;
  /** One readable line for each import that breaks a rule, sorted. */
  readonly violations: readonly string[];
}

/** The rules, by name. */
export function rules(): readonly { readonly name?: string; readonly comment?: string }[] {
  return config().forbidden;
}

function config(): Config {
  return require(join(process.cwd(), '.dependency-cruiser.cjs')) as Config;
}

export async function checkImports(baseDir: string, folders: readonly string[]): Promise<Checked> {
  const { forbidden, options } = config();
  const present = folders.filter((folder) => existsSync(join(baseDir, folder)));
  const { enhancedResolveOptions, ...cruiseOptions } = options;
  const result = await cruise(
    [...present],
    { ...cruiseOptions, baseDir, validate: true, ruleSet: { forbidden } },
    { ...enhancedResolveOptions },
  );
  if (typeof result.output === 'string') throw new Error('dependency-cruiser gave text instead of a result');
  const { violations, totalCruised } = result.output.summary;
  const comments = new Map(forbidden.map((rule) => [rule.name, rule.comment]));
  return {
    modules: totalCruised,
    violations: violations
      .map(({ rule, from, to, cycle }) => {
        const path = cycle ? cycle.map(({ name }) => name).join(' → ') : to;
        return `${rule.name}: ${from} → ${path}\n    ${comments.get(rule.name) ?? ''}`;
      })
      .sort(),
  };
}
