/** Calls that wait for input, and upstreams that go away meanwhile: one answer each, typed errors, nothing left. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { HttpSession, messagesIn, type Json, type Wire } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { ASKABLE, ModernStream, modernPost, modernRequest } from './modern-http.js';
import { UpstreamDouble } from './upstream-double.js';

const SAMPLE = { messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 1 };
const sampled = (text: string): Json => ({ role: 'assistant', model: 'm', content: { type: 'text', text } });
const hold = (server: string, nonce: string): Json => ({ name: `${server}__hold`, arguments: { nonce } });

interface Parked {
  readonly key: string;
  readonly state: string;
}

function parkedIn({ result }: Wire): Parked {
  assert.equal(result?.['resultType'], 'input_required');
  const [key = ''] = Object.keys(result['inputRequests'] as Json);
  return { key, state: String(result['requestState']) };
}

const retryOf = (params: Json, { key, state }: Parked, text: string): Json => ({
  ...params,
  requestState: state,
  inputResponses: { [key]: sampled(text) },
});

describe('calls that wait for input', () => {
  let gateway: Gateway;
  let legacy: UpstreamDouble;
  let modern: UpstreamDouble;

  before(async () => {
    legacy = await UpstreamDouble.start('legacy');
    modern = await UpstreamDouble.start('modern');
    const mcpServers = { legacy: { url: legacy.url }, modern: { url: modern.url } };
    gateway = await startGateway({ config: { mcpServers, gateway: settings() } });
    await gateway.waitForTools(['legacy__hold', 'modern__hold']);
  });
  after(async () => {
    await gateway.stop();
    await legacy.close();
    await modern.close();
  });

  const ask = async (params: Json): Promise<Wire> =>
    await modernRequest(gateway.url, 'tools/call', params, { capabilities: ASKABLE });

  /** A modern client's call to the legacy server, which has asked for a sample. */
  async function park(
    nonce: string,
  ): Promise<{ parked: Parked; answer: Promise<Wire>; finish: (text: string) => void }> {
    const first = ask(hold('legacy', nonce));
    const call = await legacy.call(nonce);
    const answer = call.ask('sampling/createMessage', SAMPLE);
    return { parked: parkedIn(await first), answer, finish: (text) => call.text(text) };
  }

  it('goes on with the answers that the client brings', async () => {
    const nonce = randomUUID();
    const { parked, answer, finish } = await park(nonce);
    const retried = ask(retryOf(hold('legacy', nonce), parked, nonce));
    assert.deepEqual((await answer).result, sampled(nonce));
    finish(`done ${nonce}`);
    assert.equal(textOf((await retried).result), `done ${nonce}`);
  });

  it('refuses a state that was changed, belongs to other arguments, or was used up; the call is not harmed', async () => {
    const nonce = randomUUID();
    const { parked, answer, finish } = await park(nonce);
    const params = hold('legacy', nonce);
    const { state } = parked;
    const last = state.endsWith('A') ? 'B' : 'A';
    const wrong = [
      retryOf(params, { ...parked, state: `${state.slice(0, -1)}${last}` }, 'x'),
      retryOf(params, { ...parked, state: `${state.slice(0, 40)}${state.slice(41)}` }, 'x'),
      retryOf(params, { ...parked, state: 'of somebody else' }, 'x'),
      retryOf(hold('legacy', randomUUID()), parked, 'x'),
      retryOf({ ...params, name: 'legacy__echo' }, parked, 'x'),
    ];
    for (const attempt of wrong) assert.equal((await ask(attempt)).error?.code, -32602, JSON.stringify(attempt));
    const retried = ask(retryOf(params, parked, 'right'));
    assert.deepEqual((await answer).result, sampled('right'));
    assert.equal((await ask(retryOf(params, parked, 'twice'))).error?.code, -32600);
    finish('done');
    assert.equal(textOf((await retried).result), 'done');
    assert.equal((await ask(retryOf(params, parked, 'late'))).error?.code, -32602);
  });

  it('lets a client mend an answer that is none', async () => {
    const nonce = randomUUID();
    const { parked, answer, finish } = await park(nonce);
    const params = hold('legacy', nonce);
    const bad = { ...params, requestState: parked.state, inputResponses: { [parked.key]: { action: 'accept' } } };
    assert.equal((await ask(bad)).error?.code, -32602);
    const retried = ask(retryOf(params, parked, 'mended'));
    assert.deepEqual((await answer).result, sampled('mended'));
    finish('done');
    assert.equal(textOf((await retried).result), 'done');
  });

  it('passes a URL that the user has to visit, to both eras', async () => {
    const nonce = randomUUID();
    const url = { mode: 'url', message: 'Sign in', url: 'https://example.test/sign-in', elicitationId: nonce };
    const first = ask(hold('legacy', nonce));
    const call = await legacy.call(nonce);
    const answer = call.ask('elicitation/create', url);
    const { result } = await first;
    const parked = parkedIn({ result: result ?? {} });
    const { params } = (result?.['inputRequests'] as Record<string, { params: Json }>)[parked.key] ?? {};
    assert.equal(params?.['url'], url.url);
    assert.equal(params['mode'], 'url');
    const inputResponses = { [parked.key]: { action: 'accept' } };
    const retried = ask({ ...hold('legacy', nonce), requestState: parked.state, inputResponses });
    assert.deepEqual((await answer).result, { action: 'accept' });
    call.text('signed in');
    assert.equal(textOf((await retried).result), 'signed in');
  });

  it('gives the state of a modern server back byte by byte', async () => {
    const nonce = randomUUID();
    const state = ` vs1.no-note \u2028"\\ ${'é'.repeat(50)} ${nonce}`;
    const first = ask(hold('modern', nonce));
    const call = await modern.call(nonce);
    const inputRequests = { k: { method: 'sampling/createMessage', params: SAMPLE } };
    call.answer({ resultType: 'input_required', inputRequests, requestState: state });
    const parked = parkedIn(await first);
    assert.equal(parked.state, state);
    const from = modern.calls.items.length;
    const retried = ask(retryOf(hold('modern', nonce), parked, 'yes'));
    const second = await modern.call(nonce, from);
    assert.equal(second.message.params?.['requestState'], state);
    assert.deepEqual(second.message.params['inputResponses'], { k: sampled('yes') });
    second.text('done');
    assert.equal(textOf((await retried).result), 'done');
  });

  it('cancels at the legacy server what a modern client left, and leaves nothing', async () => {
    const nonce = randomUUID();
    const stream = await openCall('legacy', nonce);
    const call = await legacy.call(nonce);
    const from = legacy.seen.items.length;
    stream.close();
    const cancelled = await legacy.seen.waitFor(
      ({ message }) => message.method === 'notifications/cancelled',
      'cancelled',
      from,
    );
    assert.equal(cancelled.message.params?.['requestId'], call.message.id);
    await gateway.waitForUpstream('legacy', (upstream) => upstream.inFlight === 0, 'has nothing in flight');
  });

  it('closes the stream at the modern server when a modern client closes its own', async () => {
    const nonce = randomUUID();
    const stream = await openCall('modern', nonce);
    const call = await modern.call(nonce);
    stream.close();
    await call.closed;
    await gateway.waitForUpstream('modern', (upstream) => upstream.inFlight === 0, 'has nothing in flight');
  });

  /** A call whose response streams already. */
  async function openCall(server: 'legacy' | 'modern', nonce: string): Promise<ModernStream> {
    const params = { ...hold(server, nonce), _meta: { progressToken: nonce } };
    const opening = ModernStream.open(gateway.url, 'tools/call', params);
    const call = await (server === 'legacy' ? legacy : modern).call(nonce);
    const own = call.message.params?.['_meta'] as Json;
    call.notify('notifications/progress', { progressToken: own['progressToken'], progress: 1 });
    const stream = await opening;
    const { params: shown } = await stream.messages.waitFor(({ method }) => method !== undefined, 'progress');
    assert.equal(shown?.['progressToken'], nonce);
    return stream;
  }
});

describe('an upstream that goes away', () => {
  for (const era of ['legacy', 'modern'] as const) {
    it(`in the middle of a call: exactly one answer to each client era (${era})`, async () => {
      const upstream = await UpstreamDouble.start(era);
      const gateway = await startGateway({
        config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() },
      });
      try {
        await gateway.waitForTools(['up__hold']);
        const [one, two] = [randomUUID(), randomUUID()];
        const session = await HttpSession.open(gateway.url);
        const old = session.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: hold('up', one) });
        const young = modernPost(gateway.url, 'tools/call', hold('up', two));
        await Promise.all([upstream.call(one), upstream.call(two)]);
        const { port } = upstream;
        await upstream.close();
        for (const reply of [await old, await young]) {
          const answers = messagesIn(reply).filter(({ method }) => method === undefined);
          assert.equal(answers.length, 1, reply.body);
          assert.ok(answers[0]?.error, reply.body);
        }
        const again = await UpstreamDouble.start(era, { port });
        try {
          await eventually(async () => {
            const echo = await session.request('tools/call', { name: 'up__echo', arguments: { text: 'back' } });
            assert.equal(textOf(echo.result), 'back');
          });
        } finally {
          await again.close();
        }
      } finally {
        await gateway.stop();
      }
    });
  }

  it('while a call waits for input: the retry is refused with a typed error', async () => {
    const upstream = await UpstreamDouble.start('legacy');
    const gateway = await startGateway({ config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() } });
    try {
      await gateway.waitForTools(['up__hold']);
      const nonce = randomUUID();
      const options = { capabilities: ASKABLE };
      const first = modernRequest(gateway.url, 'tools/call', hold('up', nonce), options);
      const call = await upstream.call(nonce);
      void call.ask('sampling/createMessage', SAMPLE).catch(() => undefined);
      const parked = parkedIn(await first);
      const { port } = upstream;
      await upstream.close();
      const again = await UpstreamDouble.start('legacy', { port });
      try {
        await eventually(async () => {
          const echo = await modernRequest(gateway.url, 'tools/call', { name: 'up__echo', arguments: { text: 'b' } });
          assert.equal(textOf(echo.result), 'b');
        });
        const { error } = await modernRequest(
          gateway.url,
          'tools/call',
          retryOf(hold('up', nonce), parked, 'late'),
          options,
        );
        assert.ok(error, 'a typed error');
        assert.equal(again.calls.items.length, 0, 'nothing was called a second time');
      } finally {
        await again.close();
      }
    } finally {
      await gateway.stop();
    }
  });

  const offer = (era: string): Json[] => ['echo', era].map((name) => ({ name, inputSchema: { type: 'object' } }));

  for (const [before, after] of [
    ['modern', 'legacy'],
    ['legacy', 'modern'],
  ] as const) {
    it(`and comes back on the same port in the other era: ${before}, then ${after}`, async () => {
      const upstream = await UpstreamDouble.start(before, { tools: offer(before) });
      const gateway = await startGateway({
        config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() },
      });
      try {
        await gateway.waitForTools([`up__${before}`]);
        const { port } = upstream;
        await upstream.close();
        const next = await UpstreamDouble.start(after, { port, tools: offer(after) });
        try {
          await eventually(async () => {
            const echo = await modernRequest(gateway.url, 'tools/call', { name: 'up__echo', arguments: { text: 'x' } });
            assert.equal(textOf(echo.result), 'x');
          });
          await gateway.waitForTools([`up__${after}`]);
        } finally {
          await next.close();
        }
      } finally {
        await gateway.stop();
      }
    });
  }

  for (const [before, after] of [
    ['modern', 'legacy'],
    ['legacy', 'modern'],
  ] as const) {
    it(`for one of the other era, while no connection is lost: ${before}, then ${after}`, async () => {
      const upstream = await UpstreamDouble.start(before, { tools: offer(before) });
      const gateway = await startGateway({
        config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() },
      });
      try {
        await gateway.waitForTools([`up__${before}`]);
        upstream.become(after, offer(after));
        const session = await HttpSession.open(gateway.url);
        const echo = { name: 'up__echo', arguments: { text: 'x' } };
        const { error } = await session.request('tools/call', echo);
        assert.ok(error, 'the call that met the other server is answered with an error');
        await gateway.waitForTools([`up__${after}`]);
        assert.equal(textOf((await session.request('tools/call', echo)).result), 'x');
        await session.end();
      } finally {
        await gateway.stop();
        await upstream.close();
      }
    });
  }

  for (const era of ['legacy', 'modern'] as const) {
    it(`is not probed when its era is configured: ${era}`, async () => {
      const upstream = await UpstreamDouble.start(era);
      const gateway = await startGateway({
        config: { mcpServers: { up: { url: upstream.url, viable: { era } } }, gateway: settings() },
      });
      try {
        await gateway.waitForTools(['up__echo']);
        assert.equal(upstream.requests('server/discover').length, 0);
        assert.equal(upstream.requests('initialize').length, era === 'legacy' ? 1 : 0);
      } finally {
        await gateway.stop();
        await upstream.close();
      }
    });
  }
});
