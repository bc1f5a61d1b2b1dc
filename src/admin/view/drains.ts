/** Drains in words: one line each. Pure. */
import type { DrainSnapshot } from '../protocol.js';
import { duration } from './format.js';
import { line, span, type Line } from './line.js';
import { DRAIN_MARKS, marked } from './marks.js';

const OUTCOMES: Readonly<Record<NonNullable<DrainSnapshot['outcome']>, Line>> = {
  completed: [span('everything finished', 'ok')],
  timed_out: [span('its time was over', 'bad')],
  forced: [span('forced', 'bad')],
  cancelled: [span('called off', 'warn')],
};

/** How much of it is done, 0 to 1: clients that have gone; where there are none, the calls. */
export function drainShare({ state, connectionsAtStart, connectionsLeft, inFlight }: DrainSnapshot): number {
  if (state === 'closing' || state === 'stopped' || state === 'running') return 1;
  if (connectionsAtStart > 0) return Math.min(1, Math.max(0, 1 - connectionsLeft / connectionsAtStart));
  return inFlight === 0 ? 1 : 0;
}

/** `◐ draining upstream:github  3/20 connections, 2 calls left, 12s`. */
export function drainLine(drain: DrainSnapshot, now: number): Line {
  const { id, state, outcome, connectionsAtStart, connectionsLeft, inFlight, deadlineAt, graceUntil } = drain;
  const head: Line = [...marked(DRAIN_MARKS[state]), span(` ${id}  `, 'strong')];
  if (outcome !== null) return [...head, ...OUTCOMES[outcome]];
  const clients = connectionsAtStart === 0 ? '' : `${connectionsLeft}/${connectionsAtStart} connections, `;
  const until = state === 'lame_duck' ? graceUntil : deadlineAt;
  const left = span(
    `${clients}${inFlight} ${inFlight === 1 ? 'call' : 'calls'} left, ${duration(until - now)}`,
    'warn',
  );
  return line(...head, left, ...(drain.stalled ? [span('  no progress', 'bad')] : []));
}
