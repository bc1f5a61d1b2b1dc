/**
 * `viable stdio` for clients of 2026-07-28: the official client, in front of servers of both eras, attached to a gateway
 * that runs and with one in its own process.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { EventLog } from '../support/event-log.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, startGateway, type Gateway } from '../support/gateway.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { MODERN } from './eras/modern-http.js';
import { UpstreamDouble } from './eras/upstream-double.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const ERAS = ['legacy', 'modern'] as const;
const SAMPLE = { messages: [{ role: 'user', content: { type: 'text', text: 'who?' } }], maxTokens: 1 };
const REGION = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };

const tools = (...names: string[]): Json[] => [
  ...['echo', 'hold', ...names].map((name) => ({ name, inputSchema: { type: 'object' } })),
  { name: 'regional', inputSchema: REGION },
];

interface StdioClient {
  readonly client: Client;
  /** What the process wrote, in order. */
  readonly wire: EventLog<Wire>;
}

describe('viable stdio for modern clients', () => {
  const doubles = new Map<string, UpstreamDouble>();
  let gateway: Gateway;

  const start = async (...args: string[]): Promise<Gateway> => {
    const urls = [...doubles].map(([era, double]) => [era, { url: double.url }]);
    const config = { mcpServers: Object.fromEntries(urls) as Json, gateway: settings() };
    const started = await startGateway({ config, args });
    await started.waitForTools(ERAS.map((era) => `${era}__echo`));
    return started;
  };

  before(async () => {
    for (const era of ERAS) doubles.set(era, await UpstreamDouble.start(era, { tools: tools() }));
    gateway = await start();
  });
  after(async () => {
    await gateway.stop();
    for (const double of doubles.values()) await double.close();
  });

  const upstream = (era: string): UpstreamDouble => {
    const double = doubles.get(era);
    assert.ok(double);
    return double;
  };

  async function open(...args: string[]): Promise<StdioClient> {
    const wire = new EventLog<Wire>();
    const client = new Client(
      { name: 'modern-stdio', version: '1.0.0' },
      { capabilities: { sampling: {} }, versionNegotiation: { mode: { pin: MODERN } } },
    );
    client.setRequestHandler('sampling/createMessage', () => ({
      role: 'assistant' as const,
      model: 'm',
      content: { type: 'text' as const, text: 'me' },
    }));
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [CLI, 'stdio', ...args],
      stderr: 'ignore',
    });
    transport.onmessage = (message) => wire.push(message as Wire);
    await client.connect(transport);
    assert.equal(client.getProtocolEra(), 'modern');
    return { client, wire };
  }

  const attached = (): Promise<StdioClient> => open('--url', `${gateway.url}/mcp`);
  const hold = (era: string, nonce: string): { name: string; arguments: Json } => ({
    name: `${era}__hold`,
    arguments: { nonce },
  });

  for (const [how, connect] of [
    ['attached to a gateway', attached],
    ['with a gateway in its process', () => open('--config', gateway.configFile)],
  ] as const) {
    describe(how, () => {
      let client: Client;
      let wire: EventLog<Wire>;

      before(async () => {
        ({ client, wire } = await connect());
        const wanted = ERAS.map((era) => `${era}__echo`);
        await eventually(async () => {
          const { tools: listed } = await client.listTools(undefined, { cacheMode: 'refresh' });
          const names = listed.map(({ name }) => name);
          assert.ok(wanted.every((name) => names.includes(name)));
        });
      });
      after(async () => {
        await client.close();
      });

      for (const era of ERAS) {
        it(`calls tools, progress in order before the answer (${era} server)`, async () => {
          const nonce = randomUUID();
          const from = wire.items.length;
          const from2 = upstream(era).calls.items.length;
          const answer = client.callTool(hold(era, nonce), { onprogress: () => undefined });
          const call = await upstream(era).call(nonce, from2);
          const { progressToken } = call.message.params?.['_meta'] as Json;
          for (let progress = 1; progress <= 20; progress++)
            call.notify('notifications/progress', { progressToken, progress });
          call.text(nonce);
          assert.equal(textOf(await answer), nonce);
          const seen = wire.items.slice(from).map(({ params, result }) => (result ? 'answer' : params?.['progress']));
          assert.deepEqual(seen, [...Array.from({ length: 20 }, (_, index) => index + 1), 'answer']);
        });

        it(`asks the client's model (${era} server)`, async () => {
          const nonce = randomUUID();
          const from = upstream(era).calls.items.length;
          const answer = client.callTool(hold(era, nonce));
          const call = await upstream(era).call(nonce, from);
          if (era === 'legacy') {
            const sampled = await call.ask('sampling/createMessage', SAMPLE);
            call.text(textOf({ content: [sampled.result?.['content']] }));
          } else {
            const inputRequests = { k: { method: 'sampling/createMessage', params: SAMPLE } };
            call.answer({ resultType: 'input_required', inputRequests, requestState: nonce });
            const again = await upstream(era).call(nonce, from + 1);
            assert.equal(again.message.params?.['requestState'], nonce);
            const { k } = again.message.params['inputResponses'] as { k: Json };
            again.text(textOf({ content: [k['content']] }));
          }
          assert.equal(textOf(await answer), 'me');
        });

        it(`cancels (${era} server)`, async () => {
          const nonce = randomUUID();
          const from = upstream(era).calls.items.length;
          const seen = upstream(era).seen.items.length;
          const abort = new AbortController();
          const answer = client.callTool(hold(era, nonce), { signal: abort.signal });
          const call = await upstream(era).call(nonce, from);
          abort.abort();
          await assert.rejects(answer);
          if (era === 'modern') await call.closed;
          else {
            const cancelled = await upstream(era).seen.waitFor(
              ({ message }) => message.method === 'notifications/cancelled',
              'cancelled',
              seen,
            );
            assert.equal(cancelled.message.params?.['requestId'], call.message.id);
          }
        });

        it(`calls a tool that wants an argument in a header, which stdio has not (${era} server)`, async () => {
          for (let times = 0; times < 2; times++) {
            const nonce = randomUUID();
            const from = upstream(era).calls.items.length;
            const answer = client.callTool({ name: `${era}__regional`, arguments: { region: 'süd', nonce } });
            const call = await upstream(era).call(nonce, from);
            call.text('there');
            assert.equal(textOf(await answer), 'there');
            assert.equal(upstream(era).calls.items.length, from + 1, 'it ran once');
          }
        });

        it(`hears of changed lists on its stream (${era} server)`, async () => {
          const name = `tool-${randomUUID()}`;
          const from = wire.items.length;
          const stream = await client.listen({ toolsListChanged: true });
          upstream(era).tools = tools(name);
          upstream(era).broadcast('notifications/tools/list_changed');
          await wire.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed', from);
          const { tools: listed } = await client.listTools(undefined, { cacheMode: 'refresh' });
          assert.ok(listed.some((tool) => tool.name === `${era}__${name}`));
          await stream.close();
        });
      }

      it('is refused what nobody has, with the codes of its era', async () => {
        await assert.rejects(client.callTool({ name: 'nobody__has-it' }), { code: -32_602 });
        await assert.rejects(client.readResource({ uri: 'nobody://has-it' }), { code: -32_602 });
      });
    });
  }

  it('outlives the gateway: one error for what ran, the rest waits for its successor', async () => {
    const { client, wire } = await attached();
    const nonce = randomUUID();
    const { port } = new URL(gateway.url);
    const lost = client.callTool(hold('modern', nonce));
    const stream = await client.listen({ toolsListChanged: true });
    await upstream('modern').call(nonce);
    gateway.kill('SIGKILL');
    await gateway.exited;
    await assert.rejects(lost, { code: -31_011 });
    const from = wire.items.length;
    const waiting = client.callTool({ name: 'modern__echo', arguments: { text: 'waited' } });
    await rm(gateway.socketPath, { force: true });
    gateway = await start('--port', port);
    const first = await waiting.then(textOf, () => undefined);
    // The successor may have answered before it knew its servers: then a later call is served.
    if (first !== undefined) assert.equal(first, 'waited');
    await eventually(async () => {
      assert.equal(textOf(await client.callTool({ name: 'legacy__echo', arguments: { text: 'back' } })), 'back');
    });
    assert.equal(upstream('modern').calls.items.filter(({ args }) => args['nonce'] === nonce).length, 1, 'ran once');
    await stream.close().catch(() => undefined);
    const again = await client.listen({ toolsListChanged: true });
    upstream('legacy').tools = tools(`tool-${nonce}`);
    upstream('legacy').broadcast('notifications/tools/list_changed');
    await wire.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed', from);
    await again.close();
    await client.close();
  });
});
