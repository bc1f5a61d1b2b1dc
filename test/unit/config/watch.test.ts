import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { watchConfig, type WatchDeps } from '#src/config/watch.js';
import { withFolder } from './support.js';

/** A disk with one file, and a clock that moves by hand. */
function fakeWorld() {
  const world = {
    content: '1' as string | null,
    folderThere: true,
    calls: 0,
    open: 0,
    listeners: new Set<() => void>(),
    timers: [] as { run: () => void; ms: number; live: boolean }[],
    /** Runs the timers that are set, and whatever work they begin. */
    async elapse(): Promise<number[]> {
      const due = world.timers.splice(0).filter((timer) => timer.live);
      for (const timer of due) timer.run();
      await new Promise((resolve) => setImmediate(resolve));
      return due.map((timer) => timer.ms);
    },
    touch() {
      for (const listener of world.listeners) listener();
    },
  };
  const deps: WatchDeps = {
    watchFolder: (_folder, onEvent) => {
      if (!world.folderThere) throw new Error('ENOENT');
      const listener = () => onEvent();
      world.listeners.add(listener);
      world.open++;
      return {
        close: () => {
          world.listeners.delete(listener);
          world.open--;
        },
      };
    },
    foldersOf: async () => ['/etc'],
    fingerprint: async () => world.content,
    setTimer: (run, ms) => {
      const timer = { run, ms, live: true };
      world.timers.push(timer);
      return { cancel: () => (timer.live = false) };
    },
    debounce: 100,
    retry: 1000,
  };
  return { world, deps };
}

async function started() {
  const { world, deps } = fakeWorld();
  const watch = watchConfig('/etc/viable.json', () => world.calls++, deps);
  await watch.ready;
  return { world, watch };
}

describe('config/watch', () => {
  it('calls once for a burst of events, after the quiet time', async () => {
    const { world, watch } = await started();
    world.content = '2';
    world.touch();
    world.touch();
    world.touch();
    assert.equal(world.calls, 0);
    assert.deepEqual(await world.elapse(), [100]);
    assert.equal(world.calls, 1);
    assert.equal(world.open, 1);
    watch.close();
    assert.equal(world.open, 0);
  });

  it('calls nobody for an event that changed nothing', async () => {
    const { world, watch } = await started();
    world.touch();
    await world.elapse();
    assert.equal(world.calls, 0);
    watch.close();
  });

  it('waits for a deleted file to come back', async () => {
    const { world, watch } = await started();
    world.content = null;
    world.touch();
    await world.elapse();
    assert.equal(world.calls, 0);
    world.content = '2';
    world.touch();
    await world.elapse();
    assert.equal(world.calls, 1);
    watch.close();
  });

  it('tries again while the folder is gone', async () => {
    const { world, watch } = await started();
    world.folderThere = false;
    world.content = null;
    world.touch();
    assert.deepEqual(await world.elapse(), [100]);
    assert.deepEqual(await world.elapse(), [1000]);
    world.folderThere = true;
    world.content = '2';
    assert.deepEqual(await world.elapse(), [1000]);
    assert.equal(world.calls, 1);
    assert.deepEqual(await world.elapse(), []);
    watch.close();
  });

  it('is silent after close', async () => {
    const { world, watch } = await started();
    world.content = '2';
    world.touch();
    watch.close();
    watch.close();
    assert.deepEqual(await world.elapse(), []);
    assert.equal(world.calls, 0);
  });

  /** On the real disk: resolves with each call of `onChange`. */
  async function onDisk(file: string, changes: (() => Promise<unknown>)[]): Promise<void> {
    let called: () => void = () => undefined;
    const watch = watchConfig(file, () => called(), { debounce: 1, retry: 1 });
    await watch.ready;
    for (const change of changes) {
      const seen = new Promise<void>((resolve) => (called = resolve));
      await change();
      await seen;
    }
    watch.close();
  }

  it('sees a write, a replacement by rename, and a file that was deleted and made again', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'viable.json');
      await writeFile(file, '1');
      await onDisk(file, [
        () => writeFile(file, '22'),
        async () => {
          await writeFile(`${file}.tmp`, '333');
          await rename(`${file}.tmp`, file);
        },
        async () => {
          await rm(file);
          await writeFile(file, '4444');
        },
      ]);
    });
  });

  it('sees a link that is turned to another folder, as Kubernetes does it', async () => {
    await withFolder(async (folder) => {
      for (const version of ['v1', 'v2']) {
        await mkdir(path.join(folder, version));
        await writeFile(path.join(folder, version, 'viable.json'), version);
      }
      await symlink('v1', path.join(folder, 'data'));
      const file = path.join(folder, 'viable.json');
      await symlink('data/viable.json', file);
      await onDisk(file, [
        async () => {
          await symlink('v2', path.join(folder, 'tmp'));
          await rename(path.join(folder, 'tmp'), path.join(folder, 'data'));
        },
        () => writeFile(path.join(folder, 'v2', 'viable.json'), 'in place'),
        async () => {
          await unlink(file);
          await writeFile(file, 'a plain file now');
        },
      ]);
    });
  });
});
