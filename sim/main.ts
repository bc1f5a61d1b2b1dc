/**
 * `npm run sim`: every subsystem of the viable system with itself and without, on a virtual clock, as plots in
 * docs/images and figures on stdout. Deterministic.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { resolveDocument } from '#src/config/resolve.js';
import { type Sample, type Scenario, simulate, total } from './engine.js';
import { herd } from './herd.js';
import { type Plot, type Point, svg } from './plot.js';
import { agony, failure, growth, starvation } from './scenarios.js';

const OUT = resolve('docs/images');
/** Seconds that a point stands for. */
const SMOOTH = 3;

interface Comparison {
  readonly file: string;
  readonly title: string;
  readonly axis: string;
  readonly scenario: (on: boolean) => Scenario;
  readonly panels: readonly [string, string];
  readonly value: (sample: Sample) => number;
}

const COMPARISONS: readonly Comparison[] = [
  {
    file: 'sim-s3.svg',
    title: 'A greedy server from 30 s on, a quiet one beside it',
    axis: 'absorbed, % of what is asked',
    scenario: starvation,
    panels: ['with S3', 'without S3'],
    value: absorbedPercent,
  },
  {
    file: 'sim-s4.svg',
    title: 'A load that grows from 60 s on, beside one that takes all it gets',
    axis: 'kept out, calls a second',
    scenario: growth,
    panels: ['with S4', 'without S4'],
    value: ({ attenuated, server }) => (server === 'growing' ? attenuated : NaN),
  },
  {
    file: 'sim-s5.svg',
    title: 'Guests fill the heap from 40 s on; members have work to do',
    axis: 'calls in flight',
    scenario: agony,
    panels: ['with S5', 'without S5'],
    value: ({ inFlight }) => inFlight,
  },
  {
    file: 'sim-failure.svg',
    title: 'A server is sick from 60 s to 120 s; another is well',
    axis: 'absorbed, % of what is asked',
    scenario: failure,
    panels: ['viable', 'vsm off'],
    value: absorbedPercent,
  },
];

function absorbedPercent({ absorbed, offered }: Sample): number {
  return offered === 0 ? NaN : Math.min(100, (100 * absorbed) / offered);
}

async function compare(comparison: Comparison): Promise<Plot> {
  const points: Point[] = [];
  for (const [at, panel] of comparison.panels.entries()) {
    const { samples } = await simulate(comparison.scenario(at === 0));
    const servers = [...new Set(samples.map(({ server }) => server))];
    for (const server of servers) {
      const own = samples.filter((sample) => sample.server === server);
      points.push(...smoothed(own, comparison.value, server, panel));
      const [asked, absorbed, out] = (['offered', 'absorbed', 'attenuated'] as const).map((column) =>
        total(samples, server, column),
      );
      process.stdout.write(
        `${comparison.file} ${panel}: ${server} asked ${asked}, absorbed ${absorbed}, kept out ${out}\n`,
      );
    }
  }
  return { title: comparison.title, axis: comparison.axis, points };
}

/** Means of a few seconds each, where there is anything to take a mean of. */
function smoothed(samples: readonly Sample[], value: Comparison['value'], series: string, panel: string): Point[] {
  const points: Point[] = [];
  for (let at = 0; at < samples.length; at += SMOOTH) {
    const values = samples.slice(at, at + SMOOTH).map(value);
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    if (Number.isFinite(mean))
      points.push({ t: samples[at]?.t ?? 0, value: Math.round(mean * 100) / 100, series, panel });
  }
  return points;
}

function stampede(): Plot {
  const loaded = resolveDocument({}, { file: null, baseDir: '/', env: {}, overrides: {} });
  if (!loaded.ok) throw new Error('the defaults do not load');
  const rules = loaded.config.gateway.vsm.coordination;
  const panel = (name: string, enabled: boolean): Point[] =>
    herd(400, { ...rules, enabled }, 2).map(({ t, connections }) => ({
      t,
      value: connections,
      series: 'connections',
      panel: name,
    }));
  return {
    title: '400 client sessions of a server that comes back at 0 s',
    axis: 'new connections in 250 ms',
    points: [
      ...panel('with S2', true),
      ...panel('without S2', false),
      { t: 0.25, value: 0, series: 'connections', panel: 'without S2' },
    ],
  };
}

mkdirSync(OUT, { recursive: true });
for (const comparison of COMPARISONS)
  writeFileSync(resolve(OUT, comparison.file), await svg(await compare(comparison)));
writeFileSync(resolve(OUT, 'sim-s2.svg'), await svg(stampede()));
process.stdout.write(`plots are in ${OUT}\n`);
