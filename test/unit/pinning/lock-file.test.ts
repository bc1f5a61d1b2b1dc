import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readPins, writePins } from '#src/pinning/lock-file.js';
import { PinBook } from '#src/pinning/pin-book.js';

describe('file of pins', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-pins-'));
    file = path.join(directory, 'pins.json');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const book = (): PinBook => {
    const made = new PinBook('first-sight');
    made.judge('s', [{ name: '__proto__', description: 'p' }, { name: 'b' }], 5_000, () => undefined);
    return made;
  };

  it('gives back what was written, whatever the names, and leaves nothing else behind', async () => {
    const { pins } = book();
    await writePins(file, pins);
    assert.deepEqual(await readPins(file), pins);
    assert.deepEqual(await readdir(directory), ['pins.json']);
    assert.equal(await readPins(path.join(directory, 'none.json')), undefined);
  });

  it('refuses what is no file of pins, and a definition that was changed in it', async () => {
    await writePins(file, book().pins);
    const text = await readFile(file, 'utf8');
    for (const wrong of [
      '',
      '{}',
      '[]',
      '{"version":2,"servers":{}}',
      text.replace('"p"', '"q"'),
      text.slice(0, -20),
    ]) {
      await writeFile(file, wrong);
      await assert.rejects(readPins(file), wrong.slice(0, 20));
    }
  });
});
