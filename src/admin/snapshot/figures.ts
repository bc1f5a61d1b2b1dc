/**
 * Every figure of the dashboards: what it means, how it is computed, in which unit. Dashboards show it behind `?`; docs/vsm.md
 * has the table. Without samples a figure is `null` and drawn as `–`, never 0 or 1.
 */

export interface Figure {
  readonly title: string;
  readonly formula: string;
  readonly unit: string;
  readonly meaning: string;
}

/** The figures of the viable system by name, each with its formula and unit. Sources: docs/figures.md. */
export const FIGURES = {
  varietyAbsorption: {
    title: 'S1 variety absorption',
    formula:
      '(1/K) Σ_k a_k/n_k over 60 s; kind k = (method, tool, role), the 1,024 most asked for and one for all others',
    unit: 'ratio',
    meaning:
      'Of each kind of demand, the part that got a definitive reply within its deadline; every kind counts alike.',
  },
  absorptionRate: {
    title: 'S1 absorption rate',
    formula: 'Σ_k a_k / 60 s; a = definitive replies within the deadline',
    unit: 'demands/s',
    meaning: 'Demands that the operations absorb in a second.',
  },
  volumeRatio: {
    title: 'S1 volume ratio',
    formula: 'a / (a + attenuated + failed) over 60 s; denials by policy are left out',
    unit: 'ratio',
    meaning: 'Of all demands, the part that was absorbed; the rest was kept out or failed.',
  },
  coordinationStatus: {
    title: 'S2 status',
    formula:
      'damping if any penalty p ≥ 3, where p += 1 at each reversal and p(t) = p·2^(−Δt/30 s); coordinating if something was delayed, coalesced or refused a token in 60 s; else idle',
    unit: 'enum',
    meaning: 'Whether S2 is at work, with the highest penalty.',
  },
  resourceUsage: {
    title: 'S3 resource usage',
    formula: '100 · max_r mean_10s(used_r / limit_r); r: pool, in-flight, rate, heap, event loop',
    unit: '%',
    meaning: 'How near its limit the resource is that is nearest; each is shown.',
  },
  intelligenceEvents: {
    title: 'S4 intelligence events',
    formula: 'anomalies (|e| > 3σ in 3 of 5 windows) + forecasts beyond a limit + changes outside, each once a minute',
    unit: 'count in 5 min, total',
    meaning: 'What is out of the ordinary, what will be, what has changed.',
  },
  skill: {
    title: 'S4 skill',
    formula: '1 − MAE/MAE_naive over the last 60 forecasts',
    unit: 'ratio',
    meaning: 'How much better the forecasts are than "as now". At 0 and below S3 ignores them.',
  },
  violations: {
    title: 'S5 policy violations',
    formula:
      'attempts of clients that were denied (by a policy rule, a mode, a missing permission, or with a credential that is not good; not those that had none to show), and apart from them breaches of the gateway’s own invariants',
    unit: 'count in 5 min, total',
    meaning: 'Attempts are the policy at work; any breach is an alarm.',
  },
  errorRate: {
    title: 'error rate of a transport',
    formula: '100 · F/(S + F) over 60 s; F: upstream, transport, timeout; without 401, 403, 429 and −32600 … −32602',
    unit: '% with n',
    meaning: 'Requests that failed through no fault of the client’s.',
  },
  pool: {
    title: 'pool available / in use / overflow',
    formula: 'idle base workers / live checkouts / workers beyond size s, 0 ≤ o ≤ m; available + in use − overflow = s',
    unit: 'connections',
    meaning: 'Connections to one upstream.',
  },
  poolUtilisation: {
    title: 'pool utilisation / waiting',
    formula: 'in use / (s + m) / checkouts in the queue',
    unit: 'ratio / count',
    meaning: 'How full the pool is, and who waits for it.',
  },
  throughput: {
    title: 'throughput',
    formula: 'messages in each second; over a minute ×60',
    unit: 'msg/s',
    meaning: 'Messages of clients, both ways.',
  },
  breaker: {
    title: 'breaker',
    formula: 'one of closed, half_open, open is 1',
    unit: '0/1',
    meaning: 'Whether calls are let through to an upstream.',
  },
} as const satisfies Record<string, Figure>;

/** A figure of the viable system. */
export type FigureName = keyof typeof FIGURES;

/** The text of docs/figures.md. */
export function renderFiguresPage(): string {
  const rows = Object.values(FIGURES).map(
    ({ title, formula, unit, meaning }) => `| ${title} | ${formula.replaceAll('|', '\\|')} | ${unit} | ${meaning} |`,
  );
  const head = [
    '# Figures',
    '<!-- Generated from src/admin/snapshot/figures.ts by `npm run docs`. Do not edit. -->',
    'What the dashboards show. Without samples a figure is `null`, drawn as `–`, never 0 or 1.',
    '| figure | formula | unit | meaning |\n|---|---|---|---|',
  ];
  return `${head.join('\n\n')}\n${rows.join('\n')}\n`;
}
