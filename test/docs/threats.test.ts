/**
 * Every threat of docs/security.md is tried by a test that exists, and no test of test/e2e/security is missing there; the
 * table of transports has a test that speaks the transport in every cell that is not empty.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readPage, readProject, ROOT } from './markdown.js';

/** What a test has that speaks the transport of a column: its name, or a list of clients that it is in. */
const SPEAKS: Readonly<Record<string, RegExp>> = {
  HTTP: /DOORS|HttpSession|fetchRaw/,
  modern: /DOORS|modern/i,
  SSE: /DOORS|RAW_PEERS|TOKEN_PEERS|Sse|\/mcp\/sse/,
  WebSocket: /DOORS|RAW_PEERS|TOKEN_PEERS|WebSocket/,
  Phoenix: /DOORS|TOKEN_PEERS|Phoenix/,
  stdio: /stdio|goodGateway|LIARS/,
  URL: /\burl\b|LIARS/,
  consoles: /console|dashboard/,
};
/** Of all source, whoever speaks. */
const OF_ALL = 'test/arch/regexes.test.ts';

describe('docs/threats', () => {
  const section = /## Threats and their tests\n([^]*?)\n## /.exec(readPage('docs/security.md').text)?.[1] ?? '';
  const [threats = '', transports = ''] = section.split('### On which transport each is tried');
  const rowsOf = (text: string): string[] => text.split('\n').filter((line) => /^\| (?!threat \|)/.test(line));
  const cited = (text: string): string[] =>
    [...text.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file]) => file ?? '');
  const named = new Map(
    [...transports.matchAll(/^\[(t-[a-z-]+)\]: \.\.\/(test\/\S+)$/gm)].map(([, name = '', file = '']) => [name, file]),
  );

  it('each has a test', () => {
    const rows = rowsOf(threats);
    assert.ok(rows.length >= 20, String(rows.length));
    for (const row of rows) {
      assert.ok(cited(row).length > 0, row);
      for (const file of cited(row)) assert.ok(existsSync(path.join(ROOT, file)), file);
    }
  });

  it('each test of test/e2e/security stands for one', () => {
    const all = new Set([...cited(section), ...named.values()]);
    for (const name of readdirSync(path.join(ROOT, 'test/e2e/security')))
      assert.ok(all.has(`test/e2e/security/${name}`), name);
  });

  it('each cell of a transport is empty, or a test that speaks it', () => {
    const heads = /^\| threat \| (.+) \|$/m.exec(transports)?.[1]?.split(' | ') ?? [];
    assert.deepEqual(heads, Object.keys(SPEAKS));
    const rows = rowsOf(transports);
    assert.ok(rows.length >= 25, String(rows.length));
    const used = new Set<string>();
    for (const row of rows) {
      const [what, ...cells] = row.slice(2, -2).split(' | ');
      assert.equal(cells.length, heads.length, what);
      assert.ok(
        cells.some((cell) => cell !== '–'),
        what,
      );
      for (const [index, cell] of cells.entries()) {
        if (cell === '–') continue;
        const name = /^\[✓\]\[(t-[a-z-]+)\]$/.exec(cell)?.[1] ?? '';
        const file = named.get(name);
        assert.ok(file !== undefined && existsSync(path.join(ROOT, file)), `${what}: ${cell}`);
        used.add(name);
        if (file !== OF_ALL) assert.match(readProject(file), SPEAKS[heads[index] ?? ''] ?? /$^/, `${what}: ${file}`);
      }
    }
    assert.deepEqual(
      [...named.keys()].filter((name) => !used.has(name)),
      [],
      'a test that no cell names',
    );
  });
});
