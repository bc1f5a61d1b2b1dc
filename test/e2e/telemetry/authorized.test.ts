/** The context of a trace reaches servers that the gateway shows a token of its own, of both eras, with the token beside it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ClientEra } from '../../support/clients.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { OAuthWorld } from '../../support/oauth-world.js';
import { Collector } from '../../support/otlp.js';
import { HttpSession, type Json } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const AUTH = { type: 'client_credentials', clientId: 'viable', clientSecret: 'secret-of-the-gateway' };

describe('tracing to servers behind OAuth', () => {
  let collector: Collector;
  let gateway: Gateway;
  const doubles = new Map<ClientEra, UpstreamDouble>();
  const worlds = new Map<ClientEra, OAuthWorld>();

  before(async () => {
    collector = await Collector.start();
    const mcpServers: Record<string, object> = {};
    for (const era of ['legacy', 'modern'] as const) {
      const double = await UpstreamDouble.start(era);
      const world = await OAuthWorld.start(double.url);
      doubles.set(era, double);
      worlds.set(era, world);
      mcpServers[era] = { url: `${world.origin}/mcp`, viable: { auth: AUTH } };
    }
    gateway = await startGateway({
      config: { mcpServers, gateway: settings({ telemetry: { endpoint: collector.url, samplingRate: 0 } }) },
      env: { OTEL_BSP_SCHEDULE_DELAY: '50' },
    });
    await gateway.waitForTools(['legacy__echo', 'modern__echo']);
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
  });
  after(async () => {
    await gateway.stop();
    for (const world of worlds.values()) world.close();
    for (const double of doubles.values()) await double.close();
    await collector.close();
  });

  for (const era of ['legacy', 'modern'] as const) {
    it(`${era}: the CLIENT span is the parent in the headers and in _meta, under one of the gateway’s tokens`, async () => {
      const traceId = randomBytes(16).toString('hex');
      const _meta = {
        traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
        tracestate: 'a=1',
        baggage: 'b=2',
      };
      const session = await HttpSession.open(gateway.url);
      const params = { name: `${era}__echo`, arguments: { text: 'traced' }, _meta };
      assert.equal(textOf((await session.request('tools/call', params)).result), 'traced');
      const client = await collector.waitForSpan(
        (span) => span.traceId === traceId && span.kind === 'CLIENT',
        'the CLIENT span',
      );
      const seen = doubles.get(era)?.seen.items.findLast(({ message }) => message.method === 'tools/call');
      assert.ok(seen);
      const traceparent = `00-${traceId}-${client.spanId}-01`;
      const { headers } = seen;
      assert.deepEqual(
        [headers['traceparent'], headers['tracestate'], headers['baggage']],
        [traceparent, 'a=1', 'b=2'],
      );
      assert.equal((seen.message.params?.['_meta'] as Json)['traceparent'], traceparent);
      const token = String(headers.authorization).replace('Bearer ', '');
      assert.ok(worlds.get(era)?.valid.has(token), 'the token of the gateway');
      await session.end();
    });
  }
});
