/** Journals are read while they are written, whatever a read finds of the last line. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Entry, Journal, JournalTail, readJournal } from '../journal.js';

describe('chaos/journal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'viable-journal-'));
  after(() => rmSync(folder, { recursive: true }));

  it('is read back as it was written', () => {
    const path = join(folder, 'whole');
    const entries: Entry[] = Array.from({ length: 5_000 }, (_, at) => ({ e: 'sent', nonce: `n-${at}`, t: at }));
    const journal = new Journal(path);
    for (const entry of entries) journal.write(entry);
    assert.deepEqual(readJournal(path), entries);
    assert.deepEqual(new JournalTail(path).read(), entries);
  });

  it('gives each entry once, and half a line when it is whole', () => {
    const path = join(folder, 'growing');
    const tail = new JournalTail(path);
    assert.deepEqual(tail.read(), []);
    appendFileSync(path, '{"e":"sent","nonce":"a","t":1}\n{"e":"sent",');
    assert.deepEqual(tail.read(), [{ e: 'sent', nonce: 'a', t: 1 }]);
    assert.deepEqual(tail.read(), []);
    appendFileSync(path, '"nonce":"b","t":2}\n');
    assert.deepEqual(tail.read(), [{ e: 'sent', nonce: 'b', t: 2 }]);
  });
});
