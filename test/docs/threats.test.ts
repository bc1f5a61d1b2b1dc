/** Every threat of docs/security.md is tried by a test that exists, and no test of test/e2e/security is missing there. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readPage, ROOT } from './markdown.js';

describe('docs/threats', () => {
  const section = /## Threats and their tests\n([^]*?)\n## /.exec(readPage('docs/security.md').text)?.[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| threat'));
  const cited = (text: string): string[] =>
    [...text.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file]) => file ?? '');

  it('each has a test', () => {
    assert.ok(rows.length >= 20, String(rows.length));
    for (const row of rows) {
      assert.ok(cited(row).length > 0, row);
      for (const file of cited(row)) assert.ok(existsSync(path.join(ROOT, file)), file);
    }
  });

  it('each test of test/e2e/security stands for one', () => {
    const all = new Set(cited(section));
    for (const name of readdirSync(path.join(ROOT, 'test/e2e/security')))
      assert.ok(all.has(`test/e2e/security/${name}`), name);
  });
});
