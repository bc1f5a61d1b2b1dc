/** The pool of each upstream, as metrics. */
import { type PoolSnapshot } from '../../admin/snapshot/pool.js';
import { type Figure } from './definition.js';

const ATTRIBUTE = 'viable.upstream';

/** Where sessions are: the parts of the ledger. available + vacant + in_use − overflow = size. */
const PARTS = [
  ['available', (pool) => pool.available],
  ['vacant', (pool) => pool.vacant],
  ['in_use', (pool) => pool.inUse],
  ['overflow', (pool) => pool.overflow],
] as const satisfies readonly (readonly [string, (pool: PoolSnapshot) => number])[];

export const POOL_FIGURES: readonly Figure[] = [
  {
    name: 'viable.pool.sessions',
    kind: 'gauge',
    unit: '{session}',
    description: 'Sessions with the upstream: available, not started of the size (vacant), in use, beyond the size.',
    attributes: [ATTRIBUTE, 'state'],
    read: ({ upstreams }) =>
      upstreams.flatMap(({ name, pool }) =>
        PARTS.map(([state, read]) => ({ value: read(pool), attributes: { [ATTRIBUTE]: name, state } })),
      ),
  },
  figure('size', 'gauge', '{session}', 'Sessions that stay when they are not in use.', (pool) => pool.size),
  figure(
    'max_overflow',
    'gauge',
    '{session}',
    'Sessions that there may be beyond the size.',
    (pool) => pool.maxOverflow,
  ),
  figure('limit', 'gauge', '{session}', 'Leased sessions that control grants, where it grants.', (pool) => pool.limit),
  figure('utilization', 'gauge', '1', 'Sessions in use by the most that there may be.', (pool) => pool.utilisation),
  figure('waiting', 'gauge', '{client}', 'Clients that wait for a session.', (pool) => pool.waiting),
  figure('checkouts', 'counter', '{checkout}', 'Sessions given out.', (pool) => pool.checkouts),
  figure('timeouts', 'counter', '{checkout}', 'Clients that waited too long for a session.', (pool) => pool.timeouts),
  figure('refused', 'counter', '{checkout}', 'Clients refused because too many waited.', (pool) => pool.refused),
  figure('lost', 'counter', '{session}', 'Sessions that ended by themselves.', (pool) => pool.lost),
  figure('wait', 'gauge', 's', '99th percentile of the waits for a session in the last minute.', ({ waitP99 }) =>
    waitP99 === null ? null : waitP99 / 1_000,
  ),
];

function figure(
  name: string,
  kind: 'counter' | 'gauge',
  unit: string,
  description: string,
  read: (pool: PoolSnapshot) => number | null,
): Figure {
  return {
    name: `viable.pool.${name}`,
    kind,
    unit,
    description,
    attributes: [ATTRIBUTE],
    read: ({ upstreams }) =>
      upstreams.flatMap((upstream) => {
        const value = read(upstream.pool);
        return value === null ? [] : [{ value, attributes: { [ATTRIBUTE]: upstream.name } }];
      }),
  };
}
