import assert from 'node:assert/strict';
import { actorName, type ExitReason, NORMAL, SHUTDOWN, TURN_BUDGET, URGENT_QUOTA } from '#src/kernel/index.js';
import { type Act, deferred, Fixture, turn } from '../../support/kernel.js';

const noop = (): void => undefined;

describe('a cell and its messages', () => {
  let fix: Fixture;
  const seen: string[] = [];
  const note =
    (text: string): Act =>
    () =>
      void seen.push(text);

  beforeEach(async () => {
    seen.length = 0;
    fix = new Fixture();
    await fix.boot([
      fix.scripted('a', { restart: 'temporary', mailbox: { normal: 200, urgent: 200 } }),
      fix.scripted('b', { restart: 'temporary' }),
    ]);
  });

  afterEach(() => fix.system.shutdown());

  it('handles in order within a lane, urgent first', async () => {
    const ref = fix.ref('/a');
    ref.tell(note('n1'));
    ref.tell(note('n2'));
    ref.urgent(note('u1'));
    ref.urgent(note('u2'));
    assert.deepEqual(seen, [], 'nothing is handled inside a send');
    await fix.settle();
    assert.deepEqual(seen, ['u1', 'u2', 'n1', 'n2']);
  });

  it('lets urgent overtake within the turn that runs', async () => {
    const ref = fix.ref('/a');
    ref.tell(() => void ref.urgent(note('u')));
    ref.tell(note('n'));
    await turn();
    assert.deepEqual(seen, ['u', 'n']);
  });

  it('handles at most a budget of messages in a turn', async () => {
    const ref = fix.ref('/a');
    for (let i = 0; i < TURN_BUDGET + 5; i++) ref.tell(note(String(i)));
    await turn();
    assert.equal(seen.length, TURN_BUDGET);
    await turn();
    assert.equal(seen.length, TURN_BUDGET + 5);
  });

  it('gives normal messages the rest of a turn that urgent ones could fill', async () => {
    const ref = fix.ref('/a');
    for (let i = 0; i < 100; i++) ref.urgent(note('u'));
    for (let i = 0; i < 100; i++) ref.tell(note('n'));
    await turn();
    assert.equal(seen.filter((text) => text === 'u').length, URGENT_QUOTA);
    assert.equal(seen.filter((text) => text === 'n').length, TURN_BUDGET - URGENT_QUOTA);
  });

  it('lets urgent messages fill a turn when nothing normal waits', async () => {
    const ref = fix.ref('/a');
    for (let i = 0; i < 100; i++) ref.urgent(note('u'));
    await turn();
    assert.equal(seen.length, TURN_BUDGET);
  });

  it('handles one message at a time, asynchronous ones included', async () => {
    const ref = fix.ref('/a');
    const gate = deferred();
    ref.tell(async () => {
      seen.push('begin');
      await gate.promise;
      seen.push('end');
    });
    ref.tell(note('next'));
    ref.urgent(noop);
    await fix.settle();
    ref.urgent(note('urgent'));
    await fix.settle();
    assert.deepEqual(seen, ['begin']);
    gate.resolve();
    await fix.settle();
    assert.deepEqual(seen, ['begin', 'end', 'urgent', 'next']);
  });

  it('answers full at the bound of each lane, counts it, and handles what it took', async () => {
    const ref = fix.ref('/a');
    const answers = Array.from({ length: 203 }, () => ref.tell(note('n')));
    const urgent = Array.from({ length: 202 }, () => ref.urgent(note('u')));
    assert.equal(answers.filter((answer) => answer === 'ok').length, 200);
    assert.equal(urgent.filter((answer) => answer === 'full').length, 2);
    assert.equal(fix.system.drops().get('mailbox_full'), 5);
    await fix.settle();
    assert.equal(seen.length, 400);
    assert.equal(ref.tell(note('n')), 'ok');
  });

  it('answers noproc from the moment it begins to exit, and counts dead letters', async () => {
    const ref = fix.ref('/a');
    ref.tell((context) => {
      context.exit(NORMAL);
      seen.push(ref.tell(noop), ref.urgent(noop), String(ref.alive));
    });
    await fix.settle();
    assert.deepEqual(seen, ['noproc', 'noproc', 'false']);
    assert.equal(ref.tell(noop), 'noproc');
    assert.equal(fix.system.drops().get('dead_letter'), 3);
  });

  it('counts what waited when it exited as dead letters', async () => {
    const ref = fix.ref('/a');
    fix.crash('/a');
    for (let i = 0; i < 3; i++) ref.tell(note('n'));
    await fix.settle();
    assert.deepEqual(seen, []);
    assert.equal(fix.system.drops().get('dead_letter'), 3);
  });

  it('counts messages that it handled', async () => {
    for (let i = 0; i < 5; i++) fix.ref('/a').tell(noop);
    await fix.settle();
    assert.equal(fix.nodes().get('/a')?.handled, 5);
  });

  it('exits with what a handler throws or rejects with, and handles nothing afterwards', async () => {
    const sync = fix.ref('/a');
    fix.crash('/a', 'thrown');
    sync.tell(note('after'));
    const late = fix.ref('/b');
    late.tell(() => Promise.reject(new Error('rejected')));
    late.tell(note('after'));
    await fix.settle();
    assert.deepEqual(seen, []);
    assert.deepEqual(
      fix.of('child/terminated').map(({ reason }) => (reason.type === 'fault' ? reason.error.message : reason.type)),
      ['thrown', 'rejected'],
    );
  });

  it('exits with an Error whatever was thrown', async () => {
    fix.ref('/a').tell(() => {
      const thrown: unknown = Object.create(null);
      throw thrown as Error;
    });
    await fix.settle();
    const [exit] = fix.of('child/terminated');
    assert.ok(exit?.reason.type === 'fault' && exit.reason.error instanceof Error);
    assert.equal(fix.lives('/a'), false);
  });

  it('handles no message sent before an exit inside a handler', async () => {
    const ref = fix.ref('/a');
    ref.tell((context) => {
      context.exit(NORMAL);
      seen.push('rest of the handler');
    });
    ref.urgent(note('before'));
    ref.tell(note('after'));
    await fix.settle();
    assert.deepEqual(seen, ['before', 'rest of the handler']);
  });

  it('waits for the asynchronous handler that runs before it exits, and aborts its signal at once', async () => {
    const gate = deferred();
    let aborted = 0;
    fix.ref('/a').tell(async (context) => {
      context.signal.addEventListener('abort', () => aborted++);
      await gate.promise;
      fix.log.push('handler done');
    });
    await fix.settle();
    fix.system.kill('/a');
    assert.equal(aborted, 1);
    await fix.settle();
    assert.deepEqual(fix.who('child/terminated'), []);
    gate.resolve();
    await fix.settle();
    assert.deepEqual(fix.log.slice(-2), ['handler done', 'terminate /a#1 killed']);
    assert.deepEqual(fix.who('child/terminated'), ['/a#1']);
  });

  it('keeps the first exit reason and reports an error that comes after it', async () => {
    fix.ref('/a').tell((context) => {
      context.exit(NORMAL);
      context.exit(SHUTDOWN);
      throw new Error('on the way out');
    });
    await fix.settle();
    assert.deepEqual(
      fix.of('child/terminated').map(({ reason }) => reason.type),
      ['normal'],
    );
    assert.deepEqual(
      fix.of('actor/late-error').map(({ path, error }) => `${path} ${error.message}`),
      ['/a on the way out'],
    );
  });

  it('gives an aborted signal to whoever asks for it after the exit began', async () => {
    fix.ref('/a').tell((context) => {
      context.exit(NORMAL);
      seen.push(String(context.signal.aborted));
    });
    fix.ref('/b').tell((context) => void seen.push(String(context.signal.aborted)));
    await fix.settle();
    assert.deepEqual(seen, ['true', 'false']);
  });
});

describe('timers of a cell', () => {
  let fix: Fixture;
  const seen: string[] = [];

  beforeEach(async () => {
    seen.length = 0;
    fix = new Fixture();
    await fix.boot([fix.scripted('a', { restart: 'permanent', mailbox: { urgent: 0 } })]);
  });

  afterEach(() => fix.system.shutdown());

  async function withTimer(after: Act): Promise<void> {
    fix.ref('/a').tell((context) => {
      context.after(50, () => void seen.push(`timer of #${context.self.incarnation}`));
      return after(context);
    });
    await fix.settle();
    fix.clock.advance(50);
    await fix.settle();
  }

  it('deliver past the bound of the urgent lane', async () => {
    await withTimer(noop);
    assert.deepEqual(seen, ['timer of #1']);
  });

  it('are cancelled by hand', async () => {
    await withTimer((context) => {
      const handle = context.after(10, () => void seen.push('cancelled'));
      handle.cancel();
      handle.cancel();
    });
    assert.deepEqual(seen, ['timer of #1']);
  });

  it('are cancelled at the exit, and reach no later incarnation', async () => {
    await withTimer(() => {
      throw new Error('boom');
    });
    assert.equal(fix.ref('/a').incarnation, 2);
    assert.deepEqual(seen, []);
    assert.equal(fix.clock.pending, 0);
  });

  it('are not set by an actor that exits', async () => {
    await withTimer((context) => {
      context.exit(NORMAL);
      context.after(1, () => void seen.push('zombie')).cancel();
      context.after(1, () => void seen.push('zombie'));
    });
    assert.deepEqual(seen, []);
  });
});

describe('monitors', () => {
  let fix: Fixture;
  const downs: string[] = [];
  const down =
    (name: string) =>
    (reason: ExitReason): Act =>
    () =>
      void downs.push(`${name} ${reason.type}`);

  beforeEach(async () => {
    downs.length = 0;
    fix = new Fixture();
    await fix.boot([
      fix.scripted('watcher', { mailbox: { urgent: 0 } }),
      fix.scripted('other'),
      fix.scripted('target'),
    ]);
  });

  afterEach(() => fix.system.shutdown());

  it('tell once when the target exits, also past the bound, and not of its next incarnation', async () => {
    const target = fix.ref('/target');
    fix.ref('/watcher').tell((context) => void context.monitor(target, down('watcher')));
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    assert.deepEqual(downs, ['watcher fault']);
  });

  it('tell once, at once, of a target that has exited already', async () => {
    const target = fix.ref('/target');
    fix.crash('/target');
    await fix.settle();
    fix.ref('/watcher').tell((context) => {
      const handle = context.monitor(target, down('watcher'));
      handle.cancel(); // the message is on its way; like demonitor without flush
    });
    await fix.settle();
    assert.deepEqual(downs, ['watcher fault']);
    assert.equal(fix.ref('/watcher').incarnation, 1);
  });

  it('tell each of several watchers, and one actor as often as it asked', async () => {
    const target = fix.ref('/target');
    fix.ref('/watcher').tell((context) => void context.monitor(target, down('w1')));
    fix.ref('/watcher').tell((context) => void context.monitor(target, down('w2')));
    fix.ref('/other').tell((context) => void context.monitor(target, down('o')));
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    assert.deepEqual(downs.sort(), ['o fault', 'w1 fault', 'w2 fault']);
  });

  it('tell nothing after cancel', async () => {
    const target = fix.ref('/target');
    fix.ref('/watcher').tell((context) => context.monitor(target, down('watcher')).cancel());
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    assert.deepEqual(downs, []);
  });

  it('tell nobody when the watcher has exited first', async () => {
    const target = fix.ref('/target');
    fix.ref('/watcher').tell((context) => void context.monitor(target, down('watcher')));
    await fix.settle();
    fix.crash('/watcher');
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    assert.deepEqual(downs, []);
  });

  it('keep the news from nobody when one of them throws', async () => {
    const target = fix.ref('/target');
    fix.ref('/watcher').tell(
      (context) =>
        void context.monitor(target, () => {
          throw new Error('bad mapper');
        }),
    );
    fix.ref('/other').tell((context) => void context.monitor(target, down('other')));
    await fix.settle();
    fix.crash('/target');
    await fix.settle();
    assert.deepEqual(downs, ['other fault']);
    assert.equal(fix.ref('/target').incarnation, 2);
    assert.equal(fix.of('actor/late-error').length, 1);
  });

  it('refuse a reference that is not of this kernel', async () => {
    const ok = (): 'ok' => 'ok';
    const forged = {
      path: '/x',
      incarnation: 1,
      alive: true,
      backlog: 0,
      tell: ok,
      urgent: ok,
      answer: ok,
      accept: ok,
    };
    fix.ref('/watcher').tell((context) => void context.monitor(forged, down('forged')));
    await fix.settle();
    assert.match(fix.nodes().get('/watcher')?.lastFault?.message ?? '', /not a reference of this kernel/);
  });
});

describe('the mailbox at a crash', () => {
  async function crashWithMail(keep: boolean): Promise<{ fix: Fixture; seen: string[] }> {
    const fix = new Fixture();
    const seen: string[] = [];
    await fix.boot([fix.scripted('a', { mailbox: { keep, normal: 3, urgent: 3 } })]);
    const ref = fix.ref('/a');
    ref.urgent(() => {
      throw new Error('boom');
    });
    for (const n of [1, 2]) ref.urgent((context) => void seen.push(`u${n} in #${context.self.incarnation}`));
    for (const n of [1, 2, 3]) ref.tell((context) => void seen.push(`n${n} in #${context.self.incarnation}`));
    await fix.settle();
    return { fix, seen };
  }

  it('is discarded and counted by default', async () => {
    const { fix, seen } = await crashWithMail(false);
    assert.deepEqual(seen, []);
    assert.equal(fix.system.drops().get('dead_letter'), 5);
  });

  it('goes to the next incarnation with keep, all of it, lane by lane', async () => {
    const { fix, seen } = await crashWithMail(true);
    assert.deepEqual(
      seen.map((text) => text.slice(0, 2)),
      ['u1', 'u2', 'n1', 'n2', 'n3'],
    );
    assert.equal(fix.system.drops().get('dead_letter'), undefined);
  });

  it('survives an init that fails in between with keep', async () => {
    const fix = new Fixture();
    const seen: string[] = [];
    let fail = false;
    await fix.boot([
      fix.scripted('a', {
        mailbox: { keep: true },
        init: () => {
          if (!fail) return;
          fail = false;
          throw new Error('not yet');
        },
      }),
    ]);
    fail = true;
    fix.crash('/a');
    fix.ref('/a').tell((context) => void seen.push(`in #${context.self.incarnation}`));
    await fix.settle();
    assert.deepEqual(seen, ['in #3']);
  });

  it('is counted when it was kept for an incarnation that never comes', async () => {
    for (const end of ['temporary exit', 'shutdown'] as const) {
      const fix = new Fixture();
      await fix.boot([fix.scripted('a', { restart: 'temporary', mailbox: { keep: true } })]);
      const ref = fix.ref('/a');
      if (end === 'temporary exit') fix.crash('/a');
      const stopped = end === 'shutdown' ? fix.system.shutdown() : undefined;
      if (end === 'temporary exit') for (let i = 0; i < 4; i++) ref.tell(noop);
      await fix.settle();
      await stopped;
      assert.equal(fix.system.drops().get('dead_letter'), end === 'temporary exit' ? 4 : undefined);
    }
  });

  it('is counted when it came while an init was under way that then failed', async () => {
    const fix = new Fixture();
    const gate = deferred();
    const boot = fix.boot([fix.scripted('a', { init: () => gate.promise })]);
    const ref = fix.ref('/a');
    assert.equal(ref.tell(noop), 'ok');
    gate.reject(new Error('no'));
    await assert.rejects(boot, /no/);
    assert.equal(fix.system.drops().get('dead_letter'), 1);
    assert.equal(fix.system.whereis(actorName<Act>('/a')), undefined);
  });
});
