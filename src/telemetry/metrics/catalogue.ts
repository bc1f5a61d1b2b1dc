/**
 * Every metric of the gateway, once. `/metrics`, the OTLP exporter and `docs/metrics.md` are made of it, and the examples
 * in `examples/monitoring` are checked against it. A feature adds its figures as one more list.
 */
import { AUTH_FIGURES } from './auth-figures.js';
import { BREAKER_FIGURES } from './breaker-figures.js';
import { type Figure, type MetricDefinition } from './definition.js';
import { GATEWAY_FIGURES } from './gateway-figures.js';
import { DURATION_METRICS } from './operations.js';
import { TELEMETRY_FIGURES } from './telemetry-figures.js';
import { POOL_FIGURES } from './pool-figures.js';
import { SECURITY_FIGURES } from './security-figures.js';
import { UPSTREAM_FIGURES } from './upstream-figures.js';
import { VIABILITY_FIGURES } from './viability-figures.js';
import { VSM_FIGURES } from './vsm-figures.js';

/** Read from what the dashboards show. */
export const FIGURES: readonly Figure[] = [
  ...GATEWAY_FIGURES,
  ...UPSTREAM_FIGURES,
  ...TELEMETRY_FIGURES,
  ...POOL_FIGURES,
  ...BREAKER_FIGURES,
  ...VIABILITY_FIGURES,
  ...VSM_FIGURES,
  ...SECURITY_FIGURES,
  ...AUTH_FIGURES,
];

export const METRICS: readonly MetricDefinition[] = [...DURATION_METRICS, ...FIGURES];
