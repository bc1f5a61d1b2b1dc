/** The catalogue of metrics is sound, complete and what the examples and the page name. */
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { METRICS } from '#src/telemetry/metrics/catalogue.js';
import { prometheusLabel, prometheusName } from '#src/telemetry/metrics/definition.js';
import { projectFiles, readProject } from '../../../docs/markdown.js';

const BY_NAME = new Map(METRICS.map((metric) => [prometheusName(metric), metric]));

/** Names of series that a family has at `/metrics`, and its labels. */
const SERIES = new Map(
  METRICS.flatMap((metric) => {
    const name = prometheusName(metric);
    const labels = new Set(metric.attributes.map(prometheusLabel));
    if (metric.kind !== 'histogram') return [[name, labels] as const];
    return [
      [`${name}_bucket`, new Set([...labels, 'le'])],
      [`${name}_count`, labels],
      [`${name}_sum`, labels],
    ] as const;
  }),
);

/** What every scrape has besides. */
const OF_PROMETHEUS = new Set(['up']);
const WORDS = new Set(['and', 'or', 'unless', 'on', 'ignoring', 'by', 'without', 'sum', 'max', 'min', 'bool']);

/** Names of metrics in an expression, each with the labels it is selected by. */
function namesIn(expression: string): { name: string; labels: string[] }[] {
  const grouped = expression.replaceAll(/\b(?:by|on|ignoring|without)\s*\([^)]*\)/g, '');
  const found = [...grouped.matchAll(/([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?(\s*\()?/g)];
  return found
    .filter(([, name = '', , call]) => call === undefined && !WORDS.has(name) && !/^[0-9]*[smhd]$/.test(name))
    .map(([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/([a-zA-Z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }));
}

function groupLabels(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|on|ignoring|without)\s*\(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(',').map((label) => label.trim()),
  );
}

function check(expression: string): void {
  const names = namesIn(expression.replaceAll(/"[^"]*"/g, '""'));
  assert.ok(names.length > 0, expression);
  const known = new Set<string>();
  for (const { name, labels } of names) {
    if (OF_PROMETHEUS.has(name)) continue;
    const own = SERIES.get(name);
    assert.ok(own, `${name} in ${expression}`);
    for (const label of own) known.add(label);
    for (const label of labels) assert.ok(own.has(label), `label ${label} of ${name}`);
  }
  for (const label of groupLabels(expression)) assert.ok(known.has(label), `label ${label} in ${expression}`);
}

describe('telemetry/metrics/catalogue', () => {
  it('names are legal in OpenTelemetry and in Prometheus, and stand once', () => {
    assert.equal(BY_NAME.size, METRICS.length);
    for (const metric of METRICS) {
      assert.match(metric.name, /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/);
      const name = prometheusName(metric);
      assert.match(name, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
      assert.equal(name.endsWith('_total'), metric.kind === 'counter', name);
      if (metric.kind !== 'counter') assert.doesNotMatch(name, /_(count|sum|bucket|total)$/, name);
      for (const attribute of metric.attributes) {
        assert.match(prometheusLabel(attribute), /^[a-zA-Z_][a-zA-Z0-9_]*$/);
        assert.doesNotMatch(attribute, /(^|\.)(id|session|request)(\.|$)/, 'a label must not hold an id');
      }
      assert.match(metric.description, /\.$/);
    }
  });

  it('units are part of the names at /metrics', () => {
    for (const [name, { unit, kind }] of BY_NAME) {
      if (unit === 's') assert.match(name, /_seconds(_total)?$/);
      if (unit === 'By') assert.match(name, /_bytes(_total)?$/);
      if (unit === '1' && kind === 'gauge') assert.match(name, /_ratio$/);
    }
  });

  it('every expression of the alert rules names series and labels that exist', () => {
    const rules = parse(readProject('examples/monitoring/alerts.yml')) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
    };
    const all = rules.groups.flatMap((group) => group.rules);
    assert.ok(all.length >= 5);
    for (const { expr, annotations } of all) {
      check(expr);
      const labels = [...annotations.summary.matchAll(/\$labels\.([a-zA-Z_]+)/g)].map(([, label = '']) => label);
      const known = namesIn(expr.replaceAll(/"[^"]*"/g, '""')).flatMap(({ name }) => [...(SERIES.get(name) ?? [])]);
      for (const label of labels) assert.ok(known.includes(label), `label ${label} in the summary of ${expr}`);
    }
  });

  it('every panel of the Grafana dashboard draws series and labels that exist', () => {
    const { panels } = JSON.parse(readProject('examples/monitoring/grafana-dashboard.json')) as {
      panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
    };
    assert.ok(panels.length >= 8);
    for (const { targets } of panels) {
      assert.ok(targets.length > 0);
      for (const { expr, legendFormat } of targets) {
        check(expr);
        const known = namesIn(expr.replaceAll(/"[^"]*"/g, '""')).flatMap(({ name }) => [...(SERIES.get(name) ?? [])]);
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          assert.ok(known.includes(label), `${label} in ${legendFormat}`);
      }
    }
  });

  it('a wrong name or label in an example would be found', () => {
    assert.throws(() => check('rate(viable_mesages_total[5m]) > 1'));
    assert.throws(() => check('viable_upstream_breaker{stat="open"} == 1'));
    assert.throws(() => check('sum by (tool) (viable_connections)'));
  });

  it('the monitoring examples are where the page says', () => {
    const files = projectFiles(['.yml', '.json'], 'examples/monitoring');
    assert.deepEqual(files.sort(), [
      'examples/monitoring/alerts.yml',
      'examples/monitoring/grafana-dashboard.json',
      'examples/monitoring/prometheus.yml',
    ]);
  });
});
