/**
 * Guards: one test for each behaviour of nact 7.6.2 that the kernel stands on or works around. When nact changes, these
 * fail first and say which part of the kernel to look at.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dispatch, query, spawn, start, stop } from 'nact';
import { deferred, turn } from '../../support/kernel.js';

const require = createRequire(import.meta.url);

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

describe('nact, as the kernel relies on it', () => {
  it('is pinned to exactly the version these guards were written for', () => {
    const installed = JSON.parse(readFileSync(require.resolve('nact/package.json'), 'utf8')) as { version: string };
    const own = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
    assert.equal(installed.version, '7.6.2');
    assert.equal(own.dependencies['nact'], '7.6.2');
  });

  it('never runs a handler inside dispatch', () => {
    let ran = false;
    const ref = spawn(start(), () => {
      ran = true;
    });
    dispatch(ref, 1);
    assert.equal(ran, false);
  });

  it('spends one setImmediate on each message of an actor, so a turn must handle a batch', async () => {
    const seen: number[] = [];
    const ref = spawn(start(), (_state, message: number) => void seen.push(message));
    for (const n of [1, 2, 3]) dispatch(ref, n);
    await turn();
    assert.deepEqual(seen, [1]);
    await turn();
    assert.deepEqual(seen, [1, 2]);
    await turn();
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('awaits an asynchronous handler before the next message', async () => {
    const gate = deferred();
    const seen: string[] = [];
    const ref = spawn(start(), async (_state, message: string) => {
      seen.push(`begin ${message}`);
      if (message === 'a') await gate.promise;
      seen.push(`end ${message}`);
    });
    dispatch(ref, 'a');
    dispatch(ref, 'b');
    await turns(4);
    assert.deepEqual(seen, ['begin a']);
    gate.resolve();
    await turns(4);
    assert.deepEqual(seen, ['begin a', 'end a', 'begin b', 'end b']);
  });

  it('drops a message to a stopped actor without a word, so the cell must answer noproc itself', async () => {
    let seen = 0;
    const ref = spawn(start(), () => {
      seen += 1;
    });
    stop(ref);
    assert.doesNotThrow(() => dispatch(ref, 1));
    await turns(3);
    assert.equal(seen, 0);
  });

  it('drops what waits in the mailbox when an actor stops, so the mailbox must live in the cell', async () => {
    let seen = 0;
    const ref = spawn(start(), () => {
      seen += 1;
    });
    dispatch(ref, 1);
    dispatch(ref, 2);
    await turn();
    stop(ref);
    await turns(3);
    assert.equal(seen, 1);
  });

  it('clears the turn that was scheduled when an actor stops', async () => {
    let seen = 0;
    const ref = spawn(start(), () => {
      seen += 1;
    });
    dispatch(ref, 1);
    stop(ref);
    await turns(3);
    assert.equal(seen, 0);
  });

  it('may stop an actor within its own handler, and stop it again', async () => {
    let seen = 0;
    const ref: Parameters<typeof stop>[0] = spawn(start(), () => {
      seen++;
      stop(ref);
      stop(ref);
    });
    dispatch(ref, 1);
    dispatch(ref, 2);
    await turns(4);
    assert.equal(seen, 1);
  });

  it('reaches a new actor through the old reference of the same name, so names must never be used twice', async () => {
    const system = start();
    const seen: string[] = [];
    const old = spawn(system, () => void seen.push('old'), 'same');
    stop(old);
    spawn(system, () => void seen.push('new'), 'same');
    dispatch(old, 1);
    await turns(2);
    assert.deepEqual(seen, ['new']);
  });

  it('refuses a name that is taken', () => {
    const system = start();
    spawn(system, () => undefined, 'same');
    assert.throws(() => spawn(system, () => undefined, 'same'));
  });

  it('accepts the names that cells get, and would refuse a path', () => {
    const system = start();
    for (const n of [0, 35, 36, 1e9, Number.MAX_SAFE_INTEGER]) spawn(system, () => undefined, `c${n.toString(36)}`);
    assert.throws(() => spawn(system, () => undefined, 'a/b'));
  });

  it('calls onCrash for a throw and for a rejection, and context.stop ends the actor', async () => {
    for (const fail of [
      () => {
        throw new Error('crash');
      },
      () => Promise.reject(new Error('crash')),
    ]) {
      const crashes: unknown[] = [];
      let seen = 0;
      const ref = spawn(
        start(),
        () => {
          seen++;
          return fail();
        },
        'a',
        {
          onCrash: (_message, error, context) => {
            crashes.push(error?.message);
            return context.stop;
          },
        },
      );
      dispatch(ref, 1);
      dispatch(ref, 2);
      await turns(4);
      assert.deepEqual([crashes, seen], [['crash'], 1]);
    }
  });

  it('prints a crash on stdout when no onCrash is given, so every cell gives one', async () => {
    const printed: unknown[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (chunk) => printed.push(chunk) > 0;
    try {
      const ref = spawn(start(), () => {
        throw new Error('crash');
      });
      dispatch(ref, 1);
      await turns(3);
    } finally {
      process.stdout.write = write;
    }
    assert.match(printed.join(''), /fault/);
  });

  it('does not stop grandchildren with a stopped actor, so cells have no children', async () => {
    let seen = 0;
    const parent = spawn(start(), () => undefined, 'parent');
    const child = spawn(parent, () => undefined, 'child');
    const grandchild = spawn(
      child,
      () => {
        seen += 1;
      },
      'grandchild',
    );
    dispatch(grandchild, 1);
    stop(parent);
    await turns(3);
    assert.equal(seen, 1);
  });

  it('copies the map of children for each message, so cells have no children', async () => {
    const parent = spawn(start(), (_state, _message, context) => {
      contexts.push(context.children);
    });
    const contexts: unknown[] = [];
    spawn(parent, () => undefined, 'child');
    dispatch(parent, 1);
    dispatch(parent, 2);
    await turns(3);
    assert.equal(contexts.length, 2);
    assert.notEqual(contexts[0], contexts[1]);
  });

  it('does not await afterStop, so terminate must run before stop', async () => {
    const gate = deferred();
    const seen: string[] = [];
    const system = start();
    const ref = spawn(system, () => undefined, 'a', {
      afterStop: async () => {
        seen.push('begin');
        await gate.promise;
        seen.push('end');
      },
    });
    stop(ref);
    // Its name is free again at once: nobody waits for what afterStop does.
    spawn(system, () => undefined, 'a');
    await turns(2);
    assert.deepEqual(seen, ['begin']);
    gate.resolve();
  });

  it('forgets an actor that has stopped, so that names never used twice leave nothing behind', async () => {
    const ref = spawn(start(), () => undefined);
    stop(ref);
    await assert.rejects(
      query(ref, () => 1, 1_000),
      /stopped or never existed/,
    );
  });

  it('keeps no timer for an actor without shutdownAfter', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    spawn(start(), () => undefined);
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
  });
});
