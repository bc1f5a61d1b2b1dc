import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { auditLog, type AuditView } from '#src/actors/audit-log.js';
import { AuditTrail } from '#src/audit/trail.js';
import { lastRecords, verifyLog } from '#src/audit/verify.js';
import { AuditWriter } from '#src/audit/writer.js';
import { type Reading } from '#src/vsm/reading.js';
import { live, World } from '../../support/actors/world.js';
import { eventually } from '../../support/eventually.js';

const CAPACITY = 16;

describe('audit log', () => {
  let directory: string;
  let world: World;
  let trail: AuditTrail;
  let view: AuditView;
  let readings: Reading[];

  async function boot(file: string): Promise<void> {
    world = new World();
    view = { written: 0, trouble: null, head: null };
    readings = [];
    trail = new AuditTrail({ enabled: true, hashArguments: false, capacity: CAPACITY, now: () => world.clock.now() });
    const writer = new AuditWriter({ path: file, maxFileBytes: 1_000_000, maxFiles: 3, key: null });
    const algedonic = { report: (reading: Reading): void => void readings.push(reading) };
    await world.boot({
      '/vitals/audit-log': live(auditLog({ trail, writer, view, algedonic: () => algedonic, version: '1' })),
    });
  }

  /** Lets time pass until the log has got somewhere: the disk answers in its own time. */
  async function until(done: () => boolean): Promise<void> {
    await eventually(async () => {
      await world.advance(100);
      if (!done()) throw new Error(JSON.stringify(view));
    });
  }

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-audit-'));
  });
  afterEach(async () => {
    await world.system.shutdown();
    await rm(directory, { recursive: true });
  });

  it('writes what was recorded, in order, and its own start and stop', async () => {
    const file = path.join(directory, 'audit.jsonl');
    await boot(file);
    trail.record({ type: 'admin', outcome: 'ok', method: 'kill' });
    await until(() => view.written === 2);
    await world.system.shutdown();
    assert.deepEqual(
      (await lastRecords(file, 10)).map(({ type, outcome }) => `${String(type)} ${String(outcome)}`),
      ['audit started', 'admin ok', 'audit stopped'],
    );
    assert.equal((await verifyLog(file, null)).ok, true);
  });

  it('a disk that will not write is pain until it does; what fits the queue is kept, what does not is told', async () => {
    const file = path.join(directory, 'later', 'audit.jsonl');
    await boot(file);
    await until(() => view.trouble !== null);
    assert.deepEqual(readings.map(({ source, index, value }) => [source, index, value]).at(-1), [
      'audit',
      'unwritable',
      1,
    ]);
    for (let i = 0; i < CAPACITY + 5; i += 1) trail.record({ type: 'admin', outcome: 'ok', method: `m${i}` });
    assert.equal(trail.dropped, 5);
    await mkdir(path.join(directory, 'later'));
    await until(() => view.trouble === null && view.written >= CAPACITY + 2);
    assert.equal(readings.at(-1)?.value, 0);
    const records = await lastRecords(file, 100);
    assert.deepEqual(
      records.filter(({ type }) => type === 'admin').map(({ method }) => method),
      Array.from({ length: CAPACITY }, (_, i) => `m${i}`),
    );
    assert.equal(records.find(({ outcome }) => outcome === 'dropped')?.['count'], 5);
    assert.equal((await verifyLog(file, null)).ok, true);
  });

  it('a full device refuses, and goes on refusing, while the actor lives', async () => {
    await boot('/dev/full');
    await until(() => view.trouble !== null);
    assert.match(view.trouble ?? '', /ENOSPC/);
    await world.advance(5_000, 1_000);
    assert.equal(world.reports.filter(({ type }) => type === 'child/terminated').length, 0);
  });
});
