/** Both client eras at once on servers of both: progress keeps its order, large answers come whole, odd names are names. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientEra } from '../../support/clients.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { HttpSession, messagesIn, type Json, type Wire } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { modernPost } from './modern-http.js';
import { UpstreamDouble } from './upstream-double.js';

const ERAS = ['legacy', 'modern'] as const;
const CLIENTS = 40;
const STEPS = 60;
const ODD_NAMES = ['__proto__', 'constructor', 'grüße-世界', 'toString'];
const TOOLS = ['echo', 'hold', ...ODD_NAMES].map((name) => ({ name, inputSchema: { type: 'object' } }));

describe('both eras under load', function () {
  this.timeout(60_000);
  const doubles = new Map<ClientEra, UpstreamDouble>();
  let gateway: Gateway;

  before(async () => {
    for (const era of ERAS) doubles.set(era, await UpstreamDouble.start(era, { tools: TOOLS }));
    const mcpServers = Object.fromEntries([...doubles].map(([era, { url }]) => [era, { url }]));
    const options = settings({ logging: { level: 'warn' }, requests: { maxInFlight: 4 * CLIENTS } });
    gateway = await startGateway({ config: { mcpServers, gateway: options } });
    await gateway.waitForTools(ERAS.map((era) => `${era}__hold`));
  });
  after(async () => {
    await gateway.stop();
    for (const double of doubles.values()) await double.close();
  });

  const upstream = (era: ClientEra): UpstreamDouble => {
    const double = doubles.get(era);
    assert.ok(double);
    return double;
  };

  /** Every message that a call is answered with, in order. All clients use id 1. */
  async function call(client: ClientEra, params: Json): Promise<Wire[]> {
    if (client === 'modern') return messagesIn(await modernPost(gateway.url, 'tools/call', params, { id: 1 }));
    const session = await HttpSession.open(gateway.url);
    const reply = await session.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    await session.end();
    return messagesIn(reply);
  }

  it(`${4 * CLIENTS} calls at once, each with ${STEPS} steps: in order, none foreign, none after the answer`, async () => {
    const one = async (client: ClientEra, server: ClientEra): Promise<void> => {
      const nonce = randomUUID();
      // The same token for everybody: it means nothing outside its request.
      const params = { name: `${server}__hold`, arguments: { nonce }, _meta: { progressToken: 'same' } };
      const answered = call(client, params);
      const exchange = await upstream(server).call(nonce);
      const { progressToken } = exchange.message.params?.['_meta'] as Json;
      for (let progress = 1; progress <= STEPS; progress++) {
        exchange.notify('notifications/progress', { progressToken, progress, message: nonce });
        if (progress % 20 === 0) await new Promise(setImmediate);
      }
      exchange.text(nonce);
      const messages = await answered;
      assert.deepEqual(
        messages.map(({ params: said, result }) => (result ? textOf(result) : [said?.['progress'], said?.['message']])),
        [...Array.from({ length: STEPS }, (_, index) => [index + 1, nonce]), nonce],
      );
      for (const { params: said } of messages.slice(0, -1)) assert.equal(said?.['progressToken'], 'same');
    };
    const pairs = ERAS.flatMap((client) => ERAS.map((server) => [client, server] as const));
    await Promise.all(pairs.flatMap((pair) => Array.from({ length: CLIENTS }, async () => await one(...pair))));
    for (const era of ERAS) assert.equal((await gateway.upstream(era)).inFlight, 0);
  });

  for (const client of ERAS) {
    for (const server of ERAS) {
      it(`10 MB whole: ${client} client, ${server} server`, async () => {
        const nonce = randomUUID();
        const text = `${'é\u2028"\\'.repeat(1 << 20)}${'x'.repeat(4 << 20)}`;
        assert.ok(Buffer.byteLength(text) > 10_000_000);
        const answered = call(client, { name: `${server}__hold`, arguments: { nonce } });
        (await upstream(server).call(nonce)).text(text);
        assert.ok(textOf((await answered).at(-1)?.result) === text);
      });

      it(`tools with names that mean something in JavaScript: ${client} client, ${server} server`, async () => {
        for (const name of ODD_NAMES) {
          const nonce = randomUUID();
          const answered = call(client, { name: `${server}__${name}`, arguments: { nonce } });
          const exchange = await upstream(server).call(nonce);
          assert.equal(exchange.message.params?.['name'], name);
          exchange.text(nonce);
          assert.equal(textOf((await answered).at(-1)?.result), nonce);
        }
      });
    }
  }
});
