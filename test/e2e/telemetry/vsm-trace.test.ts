/** A signal and what S5 decides because of it are one trace, as a collector gets it. */
import assert from 'node:assert/strict';
import { type AlarmsSnapshot } from '#src/admin/snapshot/vsm.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { Collector } from '../../support/otlp.js';
import { settings } from '../../support/settings.js';

describe('tracing of the viable system', () => {
  let collector: Collector;
  let gateway: Gateway;

  before(async () => {
    collector = await Collector.start();
    const config = (pain: number) => ({
      mcpServers: {},
      gateway: settings({
        telemetry: { endpoint: collector.url, samplingRate: 0.001 },
        vsm: {
          thresholds: { heap: { pain, agony: pain + 0.001 } },
          policy: { modes: [{ when: 'process/*', severity: 'critical', mode: 'conserve' }] },
        },
      }),
    });
    gateway = await startGateway({
      config: config(99),
      env: { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_METRICS_EXPORTER: 'none' },
    });
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
    // From now on any heap hurts.
    await gateway.reconfigure(config(0.001));
  });
  after(async () => {
    await gateway.stop();
    await collector.close();
  });

  it('raised, and decided by S5: the decision is in the trace of the signal that called for it', async () => {
    const raised = await collector.waitForSpan(
      ({ name, attributes }) => name === 'algedonic raised' && attributes['viable.alarm.index'] === 'heap_percent',
      'the signal',
    );
    const decision = await collector.waitForSpan(({ name }) => name === 'policy decision', 'the decision');
    assert.equal(raised.kind, 'INTERNAL');
    assert.equal(raised.attributes['viable.alarm.severity'], 'critical');
    assert.equal(decision.traceId, raised.traceId);
    assert.equal(decision.attributes['viable.policy.mode'], 'conserve');
    assert.equal(decision.attributes['viable.policy.by'], 'policy');
  });

  it('an operator’s word on a signal is a step of its trace', async () => {
    const { active } = await gateway.admin<AlarmsSnapshot>('alarms');
    const alarm = active.find(({ index }) => index === 'heap_percent');
    assert.ok(alarm);
    await gateway.admin('ack', { id: alarm.id });
    const noted = await collector.waitForSpan(({ name }) => name === 'algedonic acknowledged', 'the step');
    const raised = collector.spansOf(noted.traceId).find(({ name }) => name === 'algedonic raised');
    assert.equal(raised?.attributes['viable.alarm.id'], noted.attributes['viable.alarm.id']);
  });
});
