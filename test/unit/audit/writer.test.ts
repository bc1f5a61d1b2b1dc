import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rotatedFiles } from '#src/audit/files.js';
import { lastRecords, verifyLog } from '#src/audit/verify.js';
import { AuditWriter } from '#src/audit/writer.js';
import { type TimedEvent } from '#src/audit/trail.js';

function event(method: string): TimedEvent {
  return { at: 1_000, event: { type: 'admin', outcome: 'ok', method } };
}

describe('audit writer', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-audit-'));
    file = path.join(directory, 'audit.jsonl');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const writer = (over: { maxFileBytes?: number; maxFiles?: number } = {}): AuditWriter =>
    new AuditWriter({ path: file, maxFileBytes: 1_000_000, maxFiles: 3, key: null, ...over });

  it('goes on with the chain of the file that it finds, readable by its owner alone', async () => {
    const first = writer();
    await first.append([event('a'), event('b')]);
    await first.close();
    const second = writer();
    await second.append([event('c')]);
    await second.close();
    const result = await verifyLog(file, null);
    assert.deepEqual([result.ok, result.records, result.head], [true, 3, second.head]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('rotates by size, keeps as many files as it may, and the chain goes through all of them', async () => {
    const log = writer({ maxFileBytes: 1_024 });
    for (let i = 0; i < 60; i += 1) await log.append([event(`m${i}`)]);
    await log.close();
    assert.equal((await rotatedFiles(file)).length, 2);
    const result = await verifyLog(file, null);
    assert.deepEqual([result.ok, result.files, result.head?.seq], [true, 3, 60]);
    assert.ok((result.first ?? 0) > 1, 'older files are gone');
    assert.deepEqual(
      (await lastRecords(file, 2)).map(({ method }) => method),
      ['m58', 'm59'],
    );
  });

  it('begins the next file with the chain when the gateway was restarted right after a rotation', async () => {
    const first = writer();
    await first.append([event('a')]);
    await first.close();
    await rename(file, `${file}.000000000001`);
    const second = writer();
    await second.append([event('b')]);
    await second.close();
    assert.deepEqual([(await verifyLog(file, null)).ok, second.head.seq], [true, 2]);
  });

  it('cuts off a torn line and says how much', async () => {
    const first = writer();
    await first.append([event('a')]);
    await first.close();
    await appendFile(file, '{"seq":2,"torn');
    const second = writer();
    await second.open();
    assert.equal(second.takeCut(), 14);
    await second.append([event('b')]);
    await second.close();
    assert.deepEqual([(await verifyLog(file, null)).ok, second.head.seq], [true, 2]);
  });

  it('opens the file anew when it was moved away, and takes turns with another process', async () => {
    const mine = writer();
    const other = writer();
    await mine.append([event('a')]);
    await other.append([event('b')]);
    await mine.append([event('c')]);
    assert.equal((await verifyLog(file, null)).records, 3);
    await rename(file, `${file}.000000000001`);
    await mine.append([event('d')]);
    await Promise.all([mine.close(), other.close()]);
    assert.deepEqual([(await verifyLog(file, null)).ok, mine.head.seq], [true, 4]);
  });

  it('does not continue from a file that was cut: the chain shows it', async () => {
    const log = writer();
    await log.append([event('a')]);
    const { size } = await stat(file);
    await log.append([event('b')]);
    await truncate(file, size);
    await log.append([event('c')]);
    await log.close();
    const result = await verifyLog(file, null);
    assert.equal(result.broken?.line, 2);
    assert.match(result.broken.why, /line 2 is missing/);
  });

  it('an expected hash tells a log whose end was cut off', async () => {
    const log = writer();
    await log.append([event('a')]);
    const { size } = await stat(file);
    await log.append([event('b')]);
    const { hash } = log.head;
    await log.close();
    assert.equal((await verifyLog(file, null, hash)).expected, true);
    await truncate(file, size);
    const cut = await verifyLog(file, null, hash);
    assert.deepEqual([cut.ok, cut.expected], [true, false]);
    assert.equal((await readFile(file, 'utf8')).split('\n').length, 2);
  });
});
