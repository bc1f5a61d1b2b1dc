/** A browser that watches is let go with its token, by time or by revocation, after a notice; by then it can do nothing more. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { EventLog } from '../../support/event-log.js';
import { eventually, within } from '../../support/eventually.js';
import { type Json, SseStream } from '../../support/raw-http.js';

/** Seconds that a short token lasts. */
const SHORT = 3;

describe('the end of a console’s token', () => {
  const world = lockedGateway();
  const base = (): string => `${world.gateway.url}/mcp/dashboard`;
  const revoke = (args: Json) =>
    world.gateway.admin('send', { actor: '/admission/authenticator', message: 'revoke', args });

  async function feed(token: string) {
    const socket = new WebSocket(`${base().replace('http', 'ws')}/feed`, { headers: bearer(token) });
    const log = new EventLog<Json>();
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => log.push(JSON.parse(data.toString()) as Json));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await within(once(socket, 'open'), 'open');
    const notice = (state: string): Promise<Json> =>
      log.waitFor(
        ({ id, event }) => id === 0 && ((event as Json)['credential'] as Json | undefined)?.['state'] === state,
        state,
      );
    return { socket, log, closed, notice, say: (message: Json) => socket.send(`${JSON.stringify(message)}\n`) };
  }

  const consoles = async (): Promise<number> =>
    (await world.gateway.status()).tree.children
      .find(({ id }) => id === 'consoles')
      ?.children.find(({ id }) => id === 'web')?.children.length ?? -1;

  it('WebSocket: a notice and 1008 when it ends, and when it is revoked; others go on', async () => {
    const [ada, bea] = [await tokenFor('ada', { role: 'admin' }), await tokenFor('bea', { role: 'admin' })];
    const left = await feed(await tokenFor('root', { role: 'admin', exp: SHORT }));
    const [gone, stays] = [await feed(ada), await feed(bea)];
    for (const { say, log } of [left, gone, stays]) {
      say({ id: 1, method: 'watch', params: { intervalMs: 50 } });
      await log.waitFor((line) => line['id'] === 1 && 'event' in line, 'a snapshot');
    }
    await left.notice('expired');
    assert.equal(await within(left.closed, 'the end'), 1008);
    await revoke({ token: ada });
    await gone.notice('revoked');
    assert.equal(await within(gone.closed, 'the end'), 1008);
    const last = gone.log.items.at(-1);
    assert.deepEqual(
      [last?.['id'], Object.keys(last?.['event'] as Json)],
      [0, ['credential']],
      'the last that it hears',
    );
    stays.say({ id: 2, method: 'connections' });
    await stays.log.waitFor(({ id }) => id === 2, 'an answer');
    stays.socket.terminate();
    await eventually(async () => assert.equal(await consoles(), 0));
  });

  it('WebSocket: what a console asks that does not leave is not done', async () => {
    const token = await tokenFor('mallory', { role: 'admin' });
    const console = await feed(token);
    // It does not hear of the end, and goes on asking.
    console.socket.pause();
    await revoke({ token });
    console.say({ id: 7, method: 'send', params: { actor: 'upstream:good', message: 'disable' } });
    console.socket.resume();
    await console.notice('revoked');
    // Whose close was confirmed has been read to its end.
    assert.equal(await within(console.closed, 'the end'), 1008);
    assert.ok(!console.log.items.some(({ id }) => id === 7));
    assert.equal((await world.gateway.upstream('good')).state, 'ready');
    await eventually(async () => assert.equal(await consoles(), 0));
  });

  it('WebSocket: a minute before the end it is told so, and goes on', async () => {
    const console = await feed(await tokenFor('cleo', { role: 'admin', exp: 62 }));
    await console.notice('expiring');
    console.say({ id: 1, method: 'connections' });
    await console.log.waitFor(({ id }) => id === 1, 'an answer');
    console.socket.terminate();
  });

  it('event stream: a notice and its end, by time and by revocation', async () => {
    const token = await tokenFor('dora', { role: 'user', permissions: ['dashboard'] });
    const streams = [
      await SseStream.open(`${base()}/events`, bearer(await tokenFor('dan', { role: 'admin', exp: SHORT }))),
      await SseStream.open(`${base()}/events`, bearer(token)),
    ];
    for (const [index, state] of ['expired', 'revoked'].entries()) {
      const stream = streams[index];
      assert.ok(stream);
      await stream.events.waitFor(({ event }) => event === 'snapshot', 'a snapshot');
      if (state === 'revoked') await revoke({ subject: 'dora' });
      await stream.events.waitFor(
        ({ event, data }) => event === 'credential' && data.includes(`"${state}"`),
        `the notice ${state}`,
      );
      await within(stream.ended, 'the end');
    }
    await eventually(async () => assert.equal(await consoles(), 0));
  });
});
