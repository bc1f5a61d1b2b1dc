import assert from 'node:assert/strict';
import { telemetry } from '#src/actors/telemetry.js';
import { Durations } from '#src/telemetry/metrics/operations.js';
import { telemetrySettings } from '#src/telemetry/tracing/settings.js';
import { TracingState } from '#src/telemetry/tracing/state.js';
import { type Reading } from '#src/vsm/reading.js';
import { live, World } from '../../support/actors/world.js';

const NO_COLLECTOR = { enabled: null, endpoint: null, samplingRate: null, parentBased: null, batchSize: null };
const TICK_MS = 5_000;
const WINDOW_MS = 60_000;

describe('telemetry', () => {
  let world: World;
  let state: TracingState;
  let readings: Reading[];

  async function boot(endpoint: string | null): Promise<void> {
    world = new World();
    state = new TracingState({ tracing: null }, 0.1);
    readings = [];
    const snapshot = (): never => assert.fail('nothing is exported here');
    await world.boot({
      '/vitals/telemetry': live(
        telemetry({
          state,
          settings: () => telemetrySettings({ ...NO_COLLECTOR, endpoint }, {}),
          metrics: { snapshot, durations: new Durations(), version: '1' },
          version: '1',
          log: world.log,
          random: () => 0.5,
          algedonic: () => ({ report: (reading) => void readings.push(reading) }),
        }),
      ),
    });
  }
  afterEach(() => world.system.shutdown());

  const pains = (): boolean[] => readings.splice(0).map(({ value, pain }) => value >= pain);

  it('losses that come in bursts, as a batch is given up after its retries, are one pain and not many', async () => {
    await boot(null);
    for (let burst = 0; burst < 4; burst += 1) {
      state.counts.failed += 400;
      await world.advance(4 * TICK_MS, TICK_MS);
    }
    const felt = pains();
    assert.equal(felt.length, 16);
    assert.ok(felt.every(Boolean), String(felt));
  });

  it('what a full queue drops counts as well; without losses for a minute it is over', async () => {
    await boot(null);
    state.counts.dropped += 120;
    await world.advance(TICK_MS);
    assert.equal(readings.at(-1)?.value, 2);
    assert.deepEqual(pains(), [true]);
    await world.advance(WINDOW_MS + TICK_MS, TICK_MS);
    assert.equal(readings.at(-1)?.value, 0);
  });

  it('an SDK that cannot start keeps nothing else from starting', async () => {
    await boot('::bad');
    assert.equal(world.logged('telemetry_failed').length, 1);
    assert.equal(state.running, false);
    assert.ok(world.reports.every(({ type }) => type === 'child/started'));
  });
});
