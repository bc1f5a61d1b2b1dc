/** Large messages wait for their turn, in order; small ones do not. */
import assert from 'node:assert/strict';
import { FrameIntake, Intake } from '#src/transports/inbound/intake.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('transports/intake', () => {
  it('a turn reads 64 KiB, or one message that is larger; the rest waits for the next', async () => {
    const intake = new Intake(() => 1_000_000);
    const read: string[] = [];
    const job = (name: string, bytes: number): void => {
      intake.inTurn(bytes, () => read.push(name));
    };
    job('a', 1_000_000);
    job('b', 40_000);
    job('c', 40_000);
    job('d', 40_000);
    assert.deepEqual(read, [], 'not in this turn');
    await turn();
    assert.deepEqual(read, ['a']);
    await turn();
    assert.deepEqual(read, ['a', 'b', 'c']);
    await turn();
    assert.deepEqual(read, ['a', 'b', 'c', 'd']);
    await turn();
    job('e', 20_000);
    await turn();
    assert.deepEqual(read, ['a', 'b', 'c', 'd', 'e'], 'it goes on after a rest');
  });

  it('a message that throws does not keep the next from its turn', async () => {
    const intake = new Intake(() => 1_000_000);
    const read: string[] = [];
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    intake.inTurn(100_000, () => {
      throw new Error('a defect');
    });
    intake.inTurn(100_000, () => {
      read.push('next');
    });
    await turn();
    await turn();
    await turn();
    for (const listener of listeners) process.on('uncaughtException', listener);
    assert.deepEqual([thrown.length, read], [1, ['next']]);
  });

  it('the frames of a connection stay in order, and nothing is read while a large one waits', async () => {
    const intake = new Intake(() => 1_000_000);
    const seen: (string | number)[] = [];
    const note = (what: string | number): void => {
      seen.push(what);
    };
    const socket = { pause: () => note('pause'), resume: () => note('resume') };
    const frames = new FrameIntake(intake, socket, (data) => note(data.length));
    frames.take(Buffer.alloc(1));
    assert.deepEqual(seen, [1], 'a small one does not wait');
    frames.take(Buffer.alloc(70_000));
    frames.take(Buffer.alloc(2));
    assert.deepEqual(seen, [1, 'pause', 'pause']);
    await turn();
    await turn();
    assert.deepEqual(seen, [1, 'pause', 'pause', 70_000, 'resume', 2]);
    frames.take(Buffer.alloc(3));
    assert.equal(seen.at(-1), 3);
  });
});
