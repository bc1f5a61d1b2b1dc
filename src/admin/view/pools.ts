/** A pool of sessions with one upstream, as gauges. Pure: one definition for every dashboard. */
import type { UpstreamSnapshot } from '../protocol.js';
import type { PoolSnapshot } from '../snapshot/pool.js';
import { NONE, count } from './format.js';
import { line, span, type Line, type Tone } from './line.js';

export interface PoolGauge {
  readonly name: string;
  /** 0 to 1 of what there may be at most. */
  readonly share: number;
  readonly tone: Tone;
  readonly text: Line;
}

/** In use, available, overflow, waiting: each of the most that there may be. */
export function poolGauges(pool: PoolSnapshot): readonly PoolGauge[] {
  const { available, vacant, inUse, overflow, size, maxOverflow, waiting, waitP99, limit } = pool;
  const most = size + maxOverflow;
  return [
    {
      name: 'In use',
      share: pool.utilisation,
      tone: toneOf(pool),
      text: line(
        `${count(inUse)}/${count(most)}`,
        span(limit === null ? '' : `  ${count(limit)} granted by control`, 'dim'),
      ),
    },
    {
      name: 'Available',
      share: shareOf(available, size),
      tone: available > 0 ? 'ok' : 'dim',
      text: line(`${count(available)}/${count(size)}`, span(`  ${count(vacant)} not started`, 'dim')),
    },
    {
      name: 'Overflow',
      share: shareOf(overflow, maxOverflow),
      tone: overflow > 0 ? 'warn' : 'dim',
      text: line(`${count(overflow)}/${count(maxOverflow)}`),
    },
    {
      name: 'Waiting',
      share: shareOf(waiting, most),
      tone: waiting > 0 ? 'bad' : 'dim',
      text: line(count(waiting), span(`  p99 ${waitP99 === null ? NONE : `${count(waitP99)} ms`}`, 'dim')),
    },
  ];
}

/** Upstreams whose pools are fullest come first; those that are equally full stay in the gateway's order. */
export function fullestFirst(upstreams: readonly UpstreamSnapshot[]): readonly UpstreamSnapshot[] {
  return [...upstreams].sort((a, b) => b.pool.waiting - a.pool.waiting || b.pool.utilisation - a.pool.utilisation);
}

/** `1/10 in use, 3 free, 2 over, 1 waits`; noughts of what should be nought are left out. */
export function poolText({ inUse, available, overflow, waiting, size, maxOverflow }: PoolSnapshot): Line {
  return line(
    `${count(inUse)}/${count(size + maxOverflow)}`,
    span(`  ${count(available)} free`, 'dim'),
    ...(overflow > 0 ? [span(`  ${count(overflow)} over`, 'warn')] : []),
    ...(waiting > 0 ? [span(`  ${count(waiting)} wait`, 'bad')] : []),
  );
}

export function toneOf({ utilisation, waiting }: PoolSnapshot): Tone {
  return waiting > 0 || utilisation >= 1 ? 'bad' : utilisation >= 0.9 ? 'warn' : 'info';
}

function shareOf(value: number, most: number): number {
  return most === 0 ? 0 : value / most;
}
