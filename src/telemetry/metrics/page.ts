/** `docs/metrics.md`, made from the catalogue. */
import { METRICS } from './catalogue.js';
import { type MetricDefinition, prometheusLabel, prometheusName } from './definition.js';
import { DURATION_BOUNDARIES, SHOWN_TARGETS } from './operations.js';

/** The whole page, Markdown, ending in a line break. */
export function renderMetricsPage(): string {
  const sections = METRICS.map((metric) => row(metric)).join('\n');
  return `${HEAD}\n${sections}\n\n${TAIL}\n`;
}

const HEAD = `# Metrics

<!-- Generated from src/telemetry/metrics by \`npm run docs\`. Do not edit. -->

\`GET /metrics\` answers in the Prometheus text format, on the address where clients connect and under the same rules for the Host and Origin headers. With a collector ([tracing](tracing.md)) the same metrics are sent to it over OTLP, under their OpenTelemetry names. Nothing has to be switched on: the gateway counts for its dashboards anyway, and a metric is read when somebody asks.

| at \`/metrics\` | OpenTelemetry name | kind | unit | labels | what it is |
|---|---|---|---|---|---|`;

const TAIL = `## Notes

- A figure without samples has no series: no share of errors without requests, no latency without calls.
- Histograms have buckets up to ${DURATION_BOUNDARIES.join(', ')} seconds, as the MCP conventions of OpenTelemetry give them. \`error_type\` is the JSON-RPC code of the error, \`tool_error\` for a tool that answered with one, or \`cancelled\`; it is absent when all went well.
- Cardinality is bounded: no label holds an id. At most ${SHOWN_TARGETS} tools and prompts have series of their own on each side, the most used first; the others are counted as \`_OTHER\`. Whatever has a series keeps it, so counters never go back.
- Counters begin at 0 with the process.

[examples/monitoring](../examples/monitoring) has alert rules and a Grafana dashboard; a test holds them to the names above.`;

function row(metric: MetricDefinition): string {
  const { name, kind, unit, attributes, description } = metric;
  const labels = attributes.map((attribute) => `\`${prometheusLabel(attribute)}\``).join(', ');
  return `| \`${prometheusName(metric)}\` | \`${name}\` | ${kind} | \`${unit}\` | ${labels} | ${description} |`;
}
