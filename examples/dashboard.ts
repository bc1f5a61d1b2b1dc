/** The dashboard: in a browser at /mcp/dashboard, on a terminal with `viable top`, and in your own program. */
import { say, startGateway } from './start.js';

const gateway = await startGateway({
  dashboard: {
    refreshInterval: 1_000, // milliseconds
    historySize: 60, // seconds of throughput
  },
});

const page = await fetch(new URL('/mcp/dashboard', gateway.url));
say(`dashboard: ${page.status} ${page.headers.get('content-type') ?? ''}`);

const metrics = gateway.getDashboardMetrics();
say(`connections: ${metrics.connections.total}`);
for (const { name, state, breaker } of metrics.upstreams) say(`server ${name}: ${state}, breaker ${breaker}`);

await gateway.stop();
