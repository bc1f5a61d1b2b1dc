/** Every relative link of every page leads to a file, and to an anchor of it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { anchorsOf, linksOf, pages, readPage, ROOT, type Page } from './markdown.js';

/** Why the link is broken; `undefined` when it is not, or when it leads outside the project. */
function trouble(page: Page, link: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [target = '', anchor] = link.split('#');
  const file = target === '' ? page.path : path.posix.join(path.posix.dirname(page.path), decodeURIComponent(target));
  if (file.startsWith('..')) return 'leads out of the project';
  if (!existsSync(path.join(ROOT, file))) return 'no such file';
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md')) return 'an anchor of something that is no page';
  return anchorsOf(readPage(file)).has(anchor) ? undefined : 'no such heading';
}

function page(text: string): Page {
  return { path: 'docs/x.md', text, prose: text };
}

describe('docs/links', () => {
  it('finds what is broken', () => {
    const text = page('# Here & now\n[a](nowhere.md) ![b](../README.md) [c](#here--now) [d](#there) [e](../../out.md)');
    assert.deepEqual(linksOf(text), ['nowhere.md', '../README.md', '#here--now', '#there', '../../out.md']);
    assert.ok(anchorsOf(text).has('here--now'));
    assert.equal(trouble(text, 'nowhere.md'), 'no such file');
    assert.equal(trouble(text, '../README.md'), undefined);
    assert.equal(trouble(text, '../README.md#no-such-heading'), 'no such heading');
    assert.equal(trouble(text, '../../out.md'), 'leads out of the project');
  });

  for (const each of pages()) {
    it(each.path, () => {
      const broken = linksOf(each).flatMap((link) => {
        const why = trouble(each, link);
        return why === undefined ? [] : [`${link}: ${why}`];
      });
      assert.deepEqual(broken, []);
    });
  }

  it('no page of docs/ is left without a link to it', () => {
    const all = pages();
    const linked = new Set(
      all.flatMap((from) =>
        linksOf(from)
          .filter((link) => !link.includes(':'))
          .map((link) => path.posix.join(path.posix.dirname(from.path), link.split('#')[0] ?? '')),
      ),
    );
    const lost = all.map((each) => each.path).filter((file) => file.startsWith('docs/') && !linked.has(file));
    assert.deepEqual(lost, []);
  });
});
