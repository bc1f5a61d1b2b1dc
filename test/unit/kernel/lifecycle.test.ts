/** Starting and stopping of one actor under a supervisor: async init, terminate, patience, abandonment. */
import assert from 'node:assert/strict';
import { DEFAULT_SHUTDOWN_MS, NORMAL } from '#src/kernel/index.js';
import { deferred, Fixture, turn } from '../../support/kernel.js';

describe('starting an actor', () => {
  it('runs a synchronous init within boot, before anything is awaited', () => {
    const fix = new Fixture();
    void fix.boot([fix.scripted('a'), fix.scripted('b')]);
    assert.deepEqual(fix.log, ['init /a#1', 'init /b#1']);
    assert.equal(fix.nodes().get('/b')?.state, 'running');
  });

  it('takes messages while an asynchronous init is under way and handles them after it', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('a', { init: () => gate.promise })]);
    assert.equal(fix.nodes().get('/a')?.state, 'starting');
    assert.equal(
      fix.ref('/a').tell(() => void fix.log.push('handled')),
      'ok',
    );
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1']);
    gate.resolve();
    await boot;
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1', 'handled']);
    assert.equal(fix.nodes().get('/a')?.state, 'running');
  });

  it('starts the next child only when the asynchronous init before it has settled', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('a', { init: () => gate.promise }), fix.scripted('b')]);
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1']);
    gate.resolve();
    await boot;
    assert.deepEqual(fix.log, ['init /a#1', 'init /b#1']);
  });

  it('lets an init send to its own actor, set timers, monitor, and exit', async () => {
    const fix = new Fixture();
    await fix.boot([
      fix.scripted('a', {
        init: (context) => {
          context.self.tell(() => void fix.log.push('own'));
          context.after(10, () => void fix.log.push('timer'));
        },
      }),
      fix.scripted('b', {
        restart: 'temporary',
        init: (context) => {
          context.monitor(fix.ref('/a'), () => () => undefined);
          context.exit(NORMAL);
        },
      }),
    ]);
    await fix.settle();
    fix.clock.advance(10);
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1', 'init /b#1', 'own', 'terminate /b#1 normal', 'timer']);
    assert.deepEqual(fix.who('child/terminated'), ['/b#1']);
  });

  it('releases timers and monitors of an init that throws, and aborts its signal', async () => {
    const fix = new Fixture();
    let signal: AbortSignal | undefined;
    const boot = fix.boot([
      fix.scripted('a', {
        init: (context) => {
          signal = context.signal;
          context.after(10, () => void fix.log.push('zombie'));
          throw new Error('no');
        },
      }),
    ]);
    await assert.rejects(boot, /^Error: no$/);
    assert.equal(signal?.aborted, true);
    assert.equal(fix.clock.pending, 0);
  });
});

describe('stopping an actor', () => {
  it('calls terminate once, with the reason, after the last message, and waits for it', async () => {
    const fix = new Fixture();
    const gate = deferred();
    await fix.boot([fix.scripted('a', { terminate: () => gate.promise })]);
    fix.ref('/a').tell(() => void fix.log.push('last'));
    await fix.settle();
    let stopped = false;
    const shutdown = fix.system.shutdown().then(() => (stopped = true));
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1', 'last', 'terminate /a#1 shutdown']);
    assert.equal(stopped, false);
    assert.equal(fix.nodes().get('/a')?.state, 'stopping');
    gate.resolve();
    await shutdown;
    assert.deepEqual(fix.who('child/terminated'), ['/a#1', '/#1']);
    assert.equal(fix.clock.pending, 0);
  });

  it('reports a terminate that throws or rejects and exits all the same', async () => {
    const fix = new Fixture();
    await fix.boot([
      fix.scripted('a', {
        terminate: () => {
          throw new Error('thrown');
        },
      }),
      fix.scripted('b', { terminate: () => Promise.reject(new Error('rejected')) }),
    ]);
    await fix.system.shutdown();
    assert.deepEqual(
      fix.of('actor/late-error').map(({ path, error }) => `${path} ${error.message}`),
      ['/b rejected', '/a thrown'],
    );
    assert.deepEqual(fix.who('child/terminated'), ['/b#1', '/a#1', '/#1']);
  });

  it('abandons and reports a terminate that hangs, after shutdownMs and not before', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { shutdownMs: 200, terminate: () => new Promise(() => undefined) })]);
    const shutdown = fix.system.shutdown();
    await fix.settle();
    fix.clock.advance(199);
    await fix.settle();
    assert.deepEqual(fix.who('child/abandoned'), []);
    fix.clock.advance(1);
    await shutdown;
    assert.deepEqual(fix.of('child/abandoned'), [
      { type: 'child/abandoned', path: '/a', incarnation: 1, afterMs: 200 },
    ]);
    assert.deepEqual(fix.who('child/terminated'), ['/a#1', '/#1']);
  });

  it('abandons a handler that hangs; what it does later reaches nobody, is reported, and terminate still runs', async () => {
    const fix = new Fixture();
    const gate = deferred();
    await fix.boot([fix.scripted('a')]);
    const ref = fix.ref('/a');
    ref.tell(() => gate.promise);
    ref.tell(() => void fix.log.push('zombie'));
    await fix.settle();
    const shutdown = fix.system.shutdown();
    await fix.settle();
    fix.clock.advance(DEFAULT_SHUTDOWN_MS);
    await shutdown;
    assert.deepEqual(fix.log, ['init /a#1']);
    gate.reject(new Error('late'));
    await fix.settle();
    assert.deepEqual(fix.log, ['init /a#1', 'terminate /a#1 shutdown']);
    assert.deepEqual(
      fix.of('actor/late-error').map(({ error }) => error.message),
      ['late'],
    );
    assert.deepEqual(fix.who('child/terminated'), ['/a#1', '/#1']);
  });

  it('restarts an actor whose own exit hangs in terminate, once its time is over', async () => {
    const fix = new Fixture();
    let hang = true;
    await fix.boot([
      fix.scripted('a', {
        shutdownMs: 100,
        terminate: () => {
          if (hang) return new Promise(() => undefined);
          return undefined;
        },
      }),
    ]);
    fix.crash('/a');
    await fix.settle();
    assert.equal(fix.lives('/a'), false);
    fix.clock.advance(100);
    await fix.settle();
    assert.equal(fix.ref('/a').incarnation, 2);
    assert.deepEqual(fix.who('child/abandoned'), ['/a#1']);
    hang = false;
    await fix.system.shutdown();
  });

  it('kills an actor whose handler hangs, once its time is over', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { shutdownMs: 100 })]);
    fix.ref('/a').tell(() => new Promise(() => undefined));
    await fix.settle();
    assert.equal(fix.system.kill('/a'), true);
    assert.equal(fix.system.kill('/a'), false, 'it is being killed');
    await fix.settle();
    fix.clock.advance(100);
    await fix.settle();
    assert.equal(fix.ref('/a').incarnation, 2);
    assert.deepEqual(
      fix.of('child/terminated').map(({ reason }) => reason.type),
      ['killed'],
    );
    await fix.system.shutdown();
  });

  it('leaves no timer behind when an exit is in time', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    fix.crash('/a');
    await fix.settle();
    assert.equal(fix.clock.pending, 0);
    await fix.system.shutdown();
    assert.equal(fix.clock.pending, 0);
  });

  it('begins the exit only once however often it is asked', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    await Promise.all([fix.system.shutdown(), fix.system.shutdown(), fix.system.shutdown()]);
    await fix.system.shutdown();
    assert.deepEqual(fix.log, ['init /a#1', 'terminate /a#1 shutdown']);
    assert.deepEqual(fix.who('child/terminated'), ['/a#1', '/#1']);
  });
});

describe('stopping while an init is under way', () => {
  it('lets the init finish, then terminates what it made, and starts nobody after it', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([
      fix.scripted('first'),
      fix.scripted('a', { init: () => gate.promise }),
      fix.scripted('never'),
    ]);
    boot.catch(() => undefined);
    const shutdown = fix.system.shutdown();
    await fix.settle();
    gate.resolve();
    await shutdown;
    await assert.rejects(boot);
    assert.deepEqual(fix.log, ['init /first#1', 'init /a#1', 'terminate /a#1 shutdown', 'terminate /first#1 shutdown']);
  });

  it('aborts the signal of the init, so that one that heeds it ends at once', async () => {
    const fix = new Fixture();
    const boot = fix.boot([
      fix.scripted('first'),
      fix.scripted('a', {
        init: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('heard it')));
          }),
      }),
    ]);
    boot.catch(() => undefined);
    await fix.settle();
    await fix.system.shutdown();
    await assert.rejects(boot, /heard it/);
    assert.equal((await fix.system.terminated).type, 'start_failed');
    assert.deepEqual(fix.log, ['init /first#1', 'init /a#1', 'terminate /first#1 shutdown']);
    assert.equal(fix.clock.pending, 0);
  });

  it('abandons an init that hangs; what it makes later is released', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('first'), fix.scripted('a', { shutdownMs: 100, init: () => gate.promise })]);
    boot.catch(() => undefined);
    const shutdown = fix.system.shutdown();
    await fix.settle();
    assert.deepEqual(fix.who('child/abandoned'), []);
    fix.clock.advance(100);
    await shutdown;
    await assert.rejects(boot, /abandoned in init: shutdown/);
    assert.deepEqual(fix.who('child/abandoned'), ['/a#1']);
    assert.deepEqual(fix.log, ['init /first#1', 'init /a#1', 'terminate /first#1 shutdown']);
    const started = fix.who('child/started');
    gate.resolve();
    await fix.settle();
    assert.equal(fix.log.at(-1), 'terminate /a#1 shutdown');
    assert.deepEqual(fix.who('child/started'), started, 'the dead do not start');
  });

  it('reports an init that rejects after it was abandoned', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('a', { shutdownMs: 100, init: () => gate.promise })]);
    boot.catch(() => undefined);
    const shutdown = fix.system.shutdown();
    fix.clock.advance(100);
    await shutdown;
    gate.reject(new Error('much later'));
    await fix.settle();
    assert.deepEqual(
      fix.of('actor/late-error').map(({ error }) => error.message),
      ['much later'],
    );
  });

  it('resolves the stop when the init rejects', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('a', { init: () => gate.promise })]);
    boot.catch(() => undefined);
    const shutdown = fix.system.shutdown();
    await turn();
    gate.reject(new Error('no'));
    await shutdown;
    await assert.rejects(boot, /no/);
    assert.equal(fix.clock.pending, 0);
  });
});
