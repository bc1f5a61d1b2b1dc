/** What the features cost, as the table of the product's own documentation has it. Pure. */
import { type Overhead, type OverheadFigures } from './overhead.js';
import { type FeatureId } from './overhead-features.js';

interface Row {
  readonly title: string;
  /** Per cent of the gateway's CPU. */
  readonly cpuBar?: number;
  readonly latencyBar?: number;
}

const ROWS: Readonly<Record<FeatureId, Row>> = {
  dashboard: { title: 'Dashboard, watched once a second', cpuBar: 2 },
  draining: { title: 'Connection draining', cpuBar: 0 },
  'tracing 1 %': { title: 'OpenTelemetry (1% sampling)', cpuBar: 1, latencyBar: 0.05 },
  'tracing 10 %': { title: 'OpenTelemetry (10% sampling)', cpuBar: 3 },
  jwt: { title: 'JWT authentication, token in the cache', cpuBar: 3, latencyBar: 0.05 },
  audit: { title: 'Audit log' },
  vsm: { title: 'Viable system' },
};

export function renderOverhead({ node, cpu: ownCpu, features }: OverheadFigures): string {
  const rows = features.map((feature) => {
    const { title } = ROWS[feature.name];
    const cpu = `${signed(feature.cpuPercent, 1)}% (± ${Number.isNaN(feature.cpuSpread) ? '–' : feature.cpuSpread.toFixed(1)}), ${signed(feature.cpuUs, 1)} µs`;
    const each = feature.byTwins.length > 1 ? ` (${feature.byTwins.map((one) => signed(one, 1)).join(', ')})` : '';
    return `| ${title} | ${cpu}${each} | ${signed(feature.memoryMb, 0)}MB | ${signed(feature.latencyMs, 3)}ms | ${verdict(feature)} |`;
  });
  return [
    `Node ${node}; ${turns(features)} turns of two gateways at once, on in the one and off in the other, and the other way round: the mean of`,
    `the pairs’ medians, with those of each behind it. ±: with about 95 %. The two ${ownCpu === null ? 'share their CPUs with the load' : `have CPU ${ownCpu} for themselves`}.`,
    '',
    '| Feature | CPU Impact | Memory Impact | Latency Impact | Bar |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    'CPU: of the gateway’s process, a call, C=16. Memory: resident, after the warm-up less before it; a heap that grows',
    'anyway is in it. Latency: median at C=1. A bar within ± of the figure can be neither met nor missed by this run.',
  ].join('\n');
}

function turns(features: readonly Overhead[]): string {
  return [...new Set(features.map(({ turns: each }) => each))].join(' or ');
}

/** `met`, `MISSED`, or `unsure` where the turns lie further apart than the figure from its bar. */
export function verdict({ name, cpuPercent, cpuSpread, latencyMs }: Overhead): string {
  const { cpuBar, latencyBar } = ROWS[name];
  if (cpuBar === undefined) return '–';
  const cpu = !(Math.abs(cpuPercent - cpuBar) > cpuSpread) ? 'unsure' : cpuPercent <= cpuBar ? 'met' : 'MISSED';
  const bars = `CPU ≤ +${cpuBar}%: ${cpu}`;
  if (latencyBar === undefined) return bars;
  return `${bars}; ≤ +${latencyBar}ms: ${latencyMs <= latencyBar ? 'met' : 'MISSED'}`;
}

function signed(value: number, digits: number): string {
  return `${value >= 0 ? '+' : ''}${value.toFixed(digits)}`;
}
