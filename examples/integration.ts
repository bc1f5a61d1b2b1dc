/** All of it together: authenticated and traced calls, a look at the gateway, a stop that is watched. */
import { type Gateway, JwtAuthenticator, Tracing } from 'viable-gateway';
import { echo, say, startGateway } from './start.js';

const secret = process.env['JWT_SECRET'];
if (secret === undefined) throw new Error('set JWT_SECRET');
const authenticator = new JwtAuthenticator({ secrets: [{ kid: 'current', secret }] });

class McpClient {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  async authenticatedRequest(userId: string, message: ReturnType<typeof echo>) {
    // Generate a token.
    const authToken = await authenticator.generateToken(userId, { role: 'premium' });

    // Trace the operation.
    return Tracing.withSpan('myapp.authenticated_request', { kind: 'client' }, () =>
      // Send the authenticated message.
      this.#gateway.routeMessage(userId, message, { authToken, traceContext: Tracing.injectTraceContext() }),
    );
  }

  monitorGateway(): void {
    // Look at the dashboard, /mcp/dashboard, or ask:
    const metrics = this.#gateway.getDashboardMetrics();
    say(`connections: ${metrics.connections.total}`);
    if (metrics.connections.total > 9_000) say(`warning: high connection count: ${metrics.connections.total}`);
  }

  async handleDeployment(): Promise<void> {
    // A graceful shutdown that is watched.
    await this.#gateway.gracefulShutdown({
      timeout: 60_000,
      callback: (reason) => {
        Tracing.addEvent('gateway.shutdown', { reason }); // to the span that is active here, if your program has one
        say(`gateway shutdown complete: ${reason}`);
      },
    });
  }
}

const gateway = await startGateway({
  auth: { mode: 'required', secrets: [{ kid: 'current', secret }] },
  telemetry: { endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://localhost:4318', samplingRate: 1 },
});
const client = new McpClient(gateway);
const answer = await client.authenticatedRequest('user123', echo('hello'));
say(`answer: ${'result' in answer ? JSON.stringify(answer.result['content']) : answer.error.message}`);
client.monitorGateway();
await client.handleDeployment();
