/** What the gateway asks besides upstreams: issuers of tokens, the collector of traces. */
import { request } from 'undici';
import { fetchJson, RemoteKeys } from '../auth/remote-keys.js';
import type { Config } from '../config/index.js';
import { SystemClock } from '../kernel/index.js';
import { telemetrySettings } from '../telemetry/tracing/settings.js';
import { fail, ok, warning, type Finding } from './check.js';
import { within } from './within.js';

type Issuer = Config['gateway']['auth']['issuers'][number];

export async function issuerFinding(
  { issuer, jwksUri, algorithm }: Issuer,
  refreshMs: number,
  timeoutMs: number,
): Promise<Finding> {
  const keys = new RemoteKeys({
    issuer,
    jwksUri,
    algorithm,
    refreshMs,
    clock: new SystemClock(),
    fetch: (url) => within(fetchJson(url), timeoutMs),
  });
  await keys.refresh(true);
  const { keys: count, lastError } = keys.state;
  if (lastError !== null)
    return fail(
      `its keys cannot be had: ${lastError}`,
      'correct `jwksUri` or `issuer`; until then its tokens are refused',
    );
  if (keys.skipped.length > 0)
    return warning(
      `${count ?? 0} keys; not used: ${keys.skipped.join(', ')}`,
      'set `algorithm`, or ask for other keys',
    );
  return ok(`${count ?? 0} keys`);
}

/** An export without spans: a collector answers it with 200. */
export async function collectorFindings(
  { gateway }: Config,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<readonly Finding[]> {
  const settings = telemetrySettings(gateway.telemetry, env);
  const findings = settings.warnings.map((text) => warning(text, 'correct the variable, or write gateway.telemetry'));
  if (!settings.traces && !settings.metrics) return findings;
  const base = (settings.endpoint ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://localhost:4318').replace(/\/$/, '');
  const url =
    (settings.endpoint === null ? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] : undefined) ?? `${base}/v1/traces`;
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', ...settings.headers },
      body: '',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body.dump();
    if (statusCode < 300) return [...findings, ok(`${url} takes traces`)];
    return [...findings, warning(`${url} answers ${statusCode}`, 'correct gateway.telemetry.endpoint, or its key')];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      ...findings,
      warning(
        `${url} does not answer: ${why}`,
        'start the collector, or correct gateway.telemetry.endpoint; traces are dropped',
      ),
    ];
  }
}
