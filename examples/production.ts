/** The settings recommended for production, all features on. */
import { say, startGateway } from './start.js';

const secret = process.env['JWT_SECRET'];
if (secret === undefined) throw new Error('set JWT_SECRET');
const gateway = await startGateway({
  dashboard: {
    enabled: true,
    refreshInterval: 5_000, // 5 s
  },
  telemetry: {
    enabled: true,
    samplingRate: 0.01, // 1 %; with much traffic 0.001
    batchSize: 100,
  },
  auth: {
    mode: 'required',
    secrets: [{ kid: 'current', secret }],
    cacheTtl: 300_000, // 5 minutes
    publicKeyRefresh: 3_600_000, // 1 hour
  },
  draining: {
    enabled: true,
    defaultTimeout: 30_000,
    notificationInterval: 5_000,
  },
});

const { auth, telemetry } = gateway.getDashboardMetrics();
say(`authentication: ${auth.mode}`);
say(`sampling rate: ${telemetry.samplingRate}`);
const features = await gateway.getFeatureMetrics({ windowMs: 1 });
for (const name of ['dashboard', 'tracing', 'jwt', 'draining'] as const)
  say(`${name}: ${features[name]?.enabled === true ? 'on' : 'off'}`);

await gateway.stop();
