/** docs/library.md names every event and every method that the library has, and none that it has not. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Gateway } from '#src/index.js';
import { ROOT } from '../support/gateway.js';

const read = async (name: string): Promise<string> => await readFile(path.join(ROOT, name), 'utf8');

describe('docs/library', () => {
  it('lists the events of the type GatewayEvents', async () => {
    const declared = /interface GatewayEvents \{(.*?)\n\}/s.exec(await read('src/actors/announcements.ts'))?.[1] ?? '';
    const events = [...declared.matchAll(/^ {2}(?:'([a-z/]+)'|([a-z]+)):/gm)].map(([, quoted, bare]) => quoted ?? bare);
    const section = /## Events(.*?)\n## /s.exec(await read('docs/library.md'))?.[1] ?? '';
    const listed = [...section.matchAll(/^\| `([a-z/]+)` \|/gm)].map(([, name]) => name);
    assert.ok(events.length > 10);
    assert.deepEqual(listed, events);
  });

  it('names every public method of Gateway', async () => {
    const page = await read('docs/library.md');
    const methods = Object.getOwnPropertyNames(Gateway.prototype).filter((name) => name !== 'constructor');
    const unnamed = methods.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
    assert.deepEqual(unnamed, ['adminSocket']);
  });
});
