import assert from 'node:assert/strict';
import { type TelemetryOptions, telemetrySettings } from '#src/telemetry/tracing/settings.js';

const NOTHING: TelemetryOptions = {
  enabled: null,
  endpoint: null,
  samplingRate: null,
  parentBased: null,
  batchSize: null,
};
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

describe('telemetry/tracing/settings', () => {
  it('without a collector nothing is sent', () => {
    const { traces, metrics } = telemetrySettings(NOTHING, {});
    assert.deepEqual([traces, metrics], [false, false]);
  });

  it('a collector that is named switches it on; the file goes before the variables', () => {
    assert.ok(telemetrySettings(NOTHING, ENDPOINT).traces);
    assert.ok(telemetrySettings({ ...NOTHING, endpoint: 'http://c:4318' }, {}).metrics);
    assert.equal(telemetrySettings({ ...NOTHING, enabled: false }, ENDPOINT).traces, false);
    assert.ok(telemetrySettings({ ...NOTHING, enabled: true }, {}).traces);
    const own = { ...NOTHING, samplingRate: 0.5, batchSize: 7, parentBased: true };
    const env = {
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '9',
    };
    const settings = telemetrySettings(own, env);
    assert.deepEqual([settings.samplingRate, settings.batchSize, settings.parentBased], [0.5, 7, true]);
  });

  it('OTEL_SDK_DISABLED and OTEL_…_EXPORTER=none switch off', () => {
    assert.equal(telemetrySettings({ ...NOTHING, enabled: true }, { OTEL_SDK_DISABLED: 'TRUE' }).traces, false);
    const none = telemetrySettings(NOTHING, { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' });
    assert.deepEqual([none.traces, none.metrics], [false, true]);
    assert.equal(telemetrySettings(NOTHING, { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }).metrics, false);
  });

  const SAMPLERS: readonly [string, string, number, boolean][] = [
    ['always_on', '', 1, false],
    ['always_off', '', 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['parentbased_always_on', '', 1, true],
    ['parentbased_always_off', '', 0, true],
    ['parentbased_traceidratio', '0.5', 0.5, true],
    ['parentbased_traceidratio', '', 1, true],
  ];
  for (const [name, argument, rate, parentBased] of SAMPLERS) {
    it(`OTEL_TRACES_SAMPLER=${name} ${argument}`, () => {
      const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument };
      const settings = telemetrySettings(NOTHING, env);
      assert.deepEqual([settings.samplingRate, settings.parentBased, settings.warnings], [rate, parentBased, []]);
    });
  }

  it('what is asked for and not done is said', () => {
    const env = { OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    assert.equal(telemetrySettings(NOTHING, env).warnings.length, 2);
    const wrong = telemetrySettings(NOTHING, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'lots' });
    assert.deepEqual([wrong.samplingRate, wrong.warnings.length], [0.01, 1]);
  });

  it('OTEL_API_KEY is a header; the batch never exceeds the queue', () => {
    assert.deepEqual(telemetrySettings(NOTHING, { OTEL_API_KEY: 'k' }).headers, { 'x-api-key': 'k' });
    assert.deepEqual(telemetrySettings(NOTHING, { OTEL_API_KEY: '' }).headers, {});
    const small = telemetrySettings({ ...NOTHING, batchSize: 100 }, { OTEL_BSP_MAX_QUEUE_SIZE: '10' });
    assert.deepEqual([small.batchSize, small.maxQueue], [10, 10]);
  });
});
