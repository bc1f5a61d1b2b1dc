/**
 * Part of the build: removes what was built from a source that is no more. `tsc -b` leaves such files behind, and a module
 * that only lives in the output would be found by imports and tests here and by nobody on a fresh machine.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What lies where under the output; the first that fits counts. The last one of each is everything else. */
const OUTPUTS = [
  ['dist', { tui: 'tui', web: 'web', '': 'src' }],
  ['dist-test', { '': '' }],
];

for (const [output, sources] of OUTPUTS) {
  const folder = join(ROOT, output);
  if (!existsSync(folder)) continue;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const source = sourceOf(relative(folder, file), sources);
    if (source !== undefined && !existsSync(join(ROOT, source))) rmSync(file);
  }
}

function sourceOf(path, sources) {
  const stem = /^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(path)?.[1];
  if (stem === undefined) return undefined;
  const top = Object.keys(sources).find((name) => name === '' || stem.startsWith(`${name}/`));
  return join(sources[top], `${stem.slice(top === '' ? 0 : top.length + 1)}.ts`);
}
