/** What the features cost, measured, and how they are switched while the gateway runs. */
import { echo, say, startGateway } from './start.js';

const gateway = await startGateway({
  auth: { mode: 'optional', secrets: [{ kid: 'current', secret: 'a-secret-of-at-least-32-characters' }] },
});

// What each feature costs is measured over half a second, while it has something to do.
const measured = gateway.getFeatureMetrics({ windowMs: 500 });
for (let count = 0; count < 50; count += 1) await gateway.routeMessage('ada', echo('hello'));
const { dashboard, tracing, jwt, draining } = await measured;
say(`dashboard: ${dashboard?.cpuPercent === null ? 'not measured' : 'CPU measured'}`);
say(`tracing: ${tracing?.active === true ? 'active' : 'not active'}, ${tracing?.spansPerSecond ?? 0} spans a second`);
say(`jwt: ${jwt?.enabled === true ? 'on' : 'off'}, memory ${jwt?.memoryMb === null ? 'not measured' : 'measured'}`);
say(`draining: ${draining?.active === true ? 'active' : 'not active'}`);

// Switch a feature off and on.
gateway.disableFeature('dashboard');
say(`dashboard: ${(await gateway.getFeatureMetrics({ windowMs: 1 })).dashboard?.enabled === true ? 'on' : 'off'}`);
gateway.enableFeature('dashboard');

// Record 0.1 % of the traces that begin here.
gateway.setTracingSampleRate(0.001);
say(`sampling rate: ${gateway.getDashboardMetrics().telemetry.samplingRate}`);

await gateway.stop();
