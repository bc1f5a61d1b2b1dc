/** Tracing: the gateway's own spans, and yours beside them. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { Tracing } from 'viable-gateway';
import { echo, say, startGateway } from './start.js';

// The resource is service.name=mcp-gateway, service.namespace=autonomous-opponent; OTEL_RESOURCE_ATTRIBUTES goes before.
process.env['OTEL_EXPORTER_OTLP_HEADERS'] ??= `x-api-key=${process.env['OTEL_API_KEY'] ?? ''}`;
const gateway = await startGateway({
  telemetry: { endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://localhost:4318', samplingRate: 1 },
});

// Some service of yours, which says what trace it is called with.
const service = createServer((req, res) => {
  // Extract the trace from an incoming request.
  const parent = Tracing.extractTraceContext(req.headers);
  Tracing.withSpan('service.step', { kind: 'server', parent }, () => {
    const { traceparent } = Tracing.injectTraceContext();
    res.end(traceparent);
  });
}).listen(0, '127.0.0.1');
await once(service, 'listening');

await Tracing.withSpan('custom.operation', { kind: 'internal' }, async (span) => {
  // Add attributes of your own.
  Tracing.addAttributes({ user_id: 'user123', operation_type: 'bulk_update' });
  // Record events.
  Tracing.addEvent('processing.started', { item_count: 100 });

  // Routing is traced by itself, as part of this trace.
  await gateway.routeMessage('user123', echo('traced'), { traceContext: Tracing.injectTraceContext() });

  // Inject the trace into an outgoing request.
  const headers = Tracing.injectTraceContext({ 'content-type': 'application/json' });
  const { port } = service.address() as AddressInfo;
  const answer = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
  say(`one trace: ${answer.includes(span.spanContext().traceId)}`);
});

service.close();
service.closeAllConnections();
await gateway.stop(); // sends the spans that wait
