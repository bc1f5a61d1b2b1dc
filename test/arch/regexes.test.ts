/** Threat row "ReDoS": no regular expression of ours takes more than linear time over a text that somebody else wrote. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import ts from 'typescript';

/** Read nothing but files that are part of the package. */
const OWN_FILES: ReadonlySet<string> = new Set(['src/transports/inbound/web-assets.ts']);

function expressions(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['src', 'tui', 'web'].filter((name) => existsSync(name))) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      if (!/\.[jt]s$/.test(path) || OWN_FILES.has(path)) continue;
      const visit = (node: ts.Node): void => {
        if (ts.isRegularExpressionLiteral(node)) found.set(node.text, path);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true));
    }
  }
  return found;
}

describe('regular expressions', () => {
  it('are all safe', function () {
    this.timeout(180_000);
    const all = expressions();
    assert.ok(all.size > 100);
    const unsafe: string[] = [];
    for (const [text, path] of all) {
      const end = text.lastIndexOf('/');
      const { status } = checkSync(text.slice(1, end), text.slice(end + 1), { timeout: 10_000 });
      if (status !== 'safe') unsafe.push(`${path}: ${text} is ${status}`);
    }
    assert.deepEqual(unsafe, []);
  });

  it('the check finds what it looks for', () => {
    assert.equal(checkSync('^(a+)+$', '').status, 'vulnerable');
  });
});
