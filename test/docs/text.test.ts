/** Text that is in the repository speaks of the product, not of the machine that it was written on. */
import assert from 'node:assert/strict';
import { projectFiles, readProject } from './markdown.js';

const TEXT = ['.md', '.json', '.yaml', '.yml', '.svg', '.ts', '.mjs', '.cjs', '.js', '.ci/run', '.npmrc', 'LICENSE'];
const DOCS = ['.md', '.svg', '.schema.json'];

/** Written so that no pattern matches its own source. */
const MACHINE = [/\/work\//, /\/root\//, /\/Users\//, /[A-Z]:\\Users/, /\/home\/(?!me\b|user\b|you\b)[a-z]/];
const REGISTRY = [
  /registry\.npm/,
  /registry\.yarn/,
  /npmmirror\./,
  /verdacci[o]/i,
  /artifactor[y]/i,
  /"resolved": "[h]ttp/,
];
const TEMPORARY = [/\/tmp\/[^\s…]/];

function hits(files: readonly string[], patterns: readonly RegExp[]): string[] {
  return files.flatMap((file) =>
    readProject(file)
      .split('\n')
      .flatMap((line, i) => (patterns.some((pattern) => pattern.test(line)) ? [`${file}:${i + 1}`] : [])),
  );
}

describe('docs/text', () => {
  it('no file has a path of somebody’s machine or the host of a registry', () => {
    const files = projectFiles(TEXT);
    assert.ok(files.includes('package-lock.json') && files.includes('.ci/run') && files.includes('src/main.ts'));
    assert.deepEqual(hits(files, [...MACHINE, ...REGISTRY]), []);
  });

  it('no page or picture has a temporary path', () => {
    assert.deepEqual(hits(projectFiles(DOCS), TEMPORARY), []);
  });
});
