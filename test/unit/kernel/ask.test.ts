import assert from 'node:assert/strict';
import { ask, AskError, type Ref, type ReplyTo } from '#src/kernel/index.js';
import { type Act, deferred, Fixture } from '../../support/kernel.js';

const noop = (): void => undefined;

describe('ask', () => {
  let fix: Fixture;

  beforeEach(async () => {
    fix = new Fixture();
    await fix.boot([
      fix.scripted('a', { restart: 'temporary', mailbox: { urgent: 2 } }),
      fix.scripted('slow', {
        restart: 'temporary',
        init: (context) => (context.path === '/slow' ? Promise.resolve() : undefined),
      }),
    ]);
  });

  afterEach(() => fix.system.shutdown());

  function question(how: (replyTo: ReplyTo<string>) => Act) {
    return (path = '/a', timeoutMs = 100) => ask<Act, string>(fix.system.wheel, fix.ref(path), how, timeoutMs);
  }

  const silent = question(() => noop);

  it('resolves with the reply and leaves neither timer nor monitor behind', async () => {
    const answer = await question((to) => () => to.reply('42'))();
    assert.equal(answer, '42');
    assert.equal(fix.system.wheel.size, 0);
    fix.crash('/a');
    await fix.settle();
  });

  it('ignores a second reply', async () => {
    const answer = await question((to) => () => {
      to.reply('first');
      to.reply('second');
    })();
    assert.equal(answer, 'first');
  });

  it('resolves with a reply that comes long after the message', async () => {
    let kept: ReplyTo<string> | undefined;
    const answer = question((to) => () => void (kept = to))();
    await fix.settle();
    kept?.reply('late but in time');
    assert.equal(await answer, 'late but in time');
  });

  it('resolves with a reply given while the message is made', async () => {
    const answer = await question((to) => {
      to.reply('at once');
      return noop;
    })();
    assert.equal(answer, 'at once');
  });

  it('rejects with what making the message throws, and leaves nothing behind', async () => {
    await assert.rejects(
      question(() => {
        throw new Error('no message');
      })(),
      /no message/,
    );
    assert.equal(fix.system.wheel.size, 0);
  });

  it('rejects with timeout after timeoutMs, not before, and ignores the reply that comes then', async () => {
    let kept: ReplyTo<string> | undefined;
    let outcome = 'pending';
    const answer = question((to) => () => void (kept = to))().catch((error: unknown) => {
      outcome = error instanceof AskError ? error.why : 'wrong error';
    });
    await fix.settle();
    fix.clock.advance(99);
    await fix.settle();
    assert.equal(outcome, 'pending');
    fix.clock.advance(21);
    await answer;
    assert.equal(outcome, 'timeout');
    kept?.reply('too late');
    assert.equal(fix.system.wheel.size, 0);
  });

  async function why(answer: Promise<string>): Promise<string> {
    try {
      await answer;
      return 'resolved';
    } catch (error) {
      assert.ok(error instanceof AskError);
      assert.match(error.message, /./);
      return error.why;
    }
  }

  it('rejects with noproc when there is nobody', async () => {
    assert.equal(await why(ask(fix.system.wheel, undefined, () => noop, 100)), 'noproc');
  });

  it('rejects with noproc when the target exits or has exited', async () => {
    const ref: Ref<Act> = fix.ref('/a');
    ref.tell((context) => context.exit({ type: 'normal' }));
    ref.tell(noop);
    const during = deferred<string>();
    ref.urgent(async (context) => {
      context.exit({ type: 'normal' });
      during.resolve(await why(ask(fix.system.wheel, ref, () => noop, 100)));
    });
    assert.equal(await during.promise, 'noproc');
    await fix.settle();
    assert.equal(await why(ask(fix.system.wheel, ref, () => noop, 100)), 'noproc');
    assert.equal(fix.system.wheel.size, 0);
  });

  it('rejects with full when the urgent lane is at its bound', async () => {
    const ref = fix.ref('/a');
    ref.urgent(noop);
    ref.urgent(noop);
    assert.equal(await why(silent()), 'full');
    assert.equal(fix.system.wheel.size, 0);
    assert.equal(fix.system.drops().get('mailbox_full'), 1);
  });

  it('rejects with down when the target exits before it answers', async () => {
    const answer = why(silent());
    fix.crash('/a');
    assert.equal(await answer, 'down');
    assert.equal(fix.system.wheel.size, 0);
  });

  it('keeps an answer given just before the exit', async () => {
    const answer = question((to) => () => {
      to.reply('last words');
      throw new Error('boom');
    })();
    assert.equal(await answer, 'last words');
    await fix.settle();
    assert.equal(fix.lives('/a'), false);
  });

  it('overtakes what waits in the normal lane', async () => {
    const order: string[] = [];
    for (let i = 0; i < 3; i++) fix.ref('/a').tell(() => void order.push('normal'));
    await question((to) => () => {
      order.push('ask');
      to.reply('');
    })();
    await fix.settle();
    assert.deepEqual(order, ['ask', 'normal', 'normal', 'normal']);
  });
});
