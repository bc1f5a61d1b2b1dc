/**
 * The offline checker: joins what clients sent and got with what upstreams ran. Pure.
 *
 * Exactly once, as the gateway promises it: every call is answered once, by a result or an error; a result is the call's
 * own; no call runs twice. A call whose client lost its own connection has nobody to answer and is counted apart (`cut`).
 */
import { type Entry } from './journal.js';

export interface Verdict {
  readonly sent: number;
  readonly ok: number;
  /** Errors by reason. */
  readonly errors: ReadonlyMap<string, number>;
  readonly cut: number;
  /** Sent, and never answered on a connection that lived. */
  readonly lost: readonly string[];
  /** Answered more than once, or an answer that nobody had asked for. */
  readonly duplicate: readonly string[];
  /** Answered with somebody else's result. */
  readonly foreign: readonly string[];
  /** Run more than once. */
  readonly twice: readonly string[];
  /** Answered with a result although no upstream ran it. */
  readonly phantom: readonly string[];
  /** Run, and its answer never reached the client, although it waited: dropped work. Includes cut ones. */
  readonly unanswered: readonly string[];
  /** Run, and answered with an error all the same. */
  readonly wasted: readonly string[];
}

export function check(clients: readonly Entry[], upstreams: readonly Entry[]): Verdict {
  const runs = countRuns(upstreams);
  const sent = new Set<string>();
  const answers = new Map<string, number>();
  const cut = new Set<string>();
  const errors = new Map<string, number>();
  const duplicate: string[] = [];
  const foreign: string[] = [];
  const phantom: string[] = [];
  const wasted: string[] = [];
  let ok = 0;
  for (const entry of clients) {
    switch (entry.e) {
      case 'sent':
        sent.add(entry.nonce);
        break;
      case 'answered': {
        const before = answers.get(entry.nonce) ?? 0;
        answers.set(entry.nonce, before + 1);
        if (before > 0) duplicate.push(entry.nonce);
        if (entry.outcome === 'foreign') foreign.push(entry.nonce);
        else if (entry.outcome !== 'ok') {
          errors.set(entry.outcome, (errors.get(entry.outcome) ?? 0) + 1);
          if (runs.has(entry.nonce)) wasted.push(entry.nonce);
        } else if (runs.has(entry.nonce)) ok += 1;
        else phantom.push(entry.nonce);
        break;
      }
      case 'cut':
        cut.add(entry.nonce);
        break;
      case 'unasked':
        duplicate.push(entry.id);
        break;
      case 'noticed':
      case 'opened':
      case 'ran':
      case 'fault':
        break;
    }
  }
  const open = [...sent].filter((nonce) => !answers.has(nonce));
  return {
    sent: sent.size,
    ok,
    errors,
    cut: cut.size,
    lost: open.filter((nonce) => !cut.has(nonce)),
    duplicate,
    foreign,
    twice: [...runs].filter(([, count]) => count > 1).map(([nonce]) => nonce),
    phantom,
    unanswered: open.filter((nonce) => runs.has(nonce)),
    wasted,
  };
}

function countRuns(upstreams: readonly Entry[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const entry of upstreams) if (entry.e === 'ran') runs.set(entry.nonce, (runs.get(entry.nonce) ?? 0) + 1);
  return runs;
}

/**
 * For each kill of an upstream, milliseconds until the first result from another process of that upstream. A kill after
 * which nothing was answered any more is `Infinity`.
 */
export function recoveries(clients: readonly Entry[], faults: readonly Entry[]): number[] {
  const results = clients
    .filter((entry) => entry.e === 'answered')
    .filter(({ outcome, by }) => outcome === 'ok' && by !== undefined)
    .sort((a, b) => a.t - b.t);
  const kills = faults.filter((entry) => entry.e === 'fault').filter(({ pid }) => pid !== undefined);
  return kills.map(({ t, pid }) => {
    let low = 0;
    let high = results.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((results[middle]?.t ?? 0) < t) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < results.length; at += 1) {
      const result = results[at];
      if (result && result.by !== pid) return result.t - t;
    }
    return Infinity;
  });
}

/** What a process allocates when it begins to work is no leak: it is left out of the slope. Milliseconds. */
const WARM_UP_MS = 10_000;

/**
 * Least-squares slope of a series of (milliseconds, bytes) without its first ten seconds, in kB a minute; `null` when
 * less than ten seconds are left.
 */
export function slope(series: readonly (readonly [number, number])[]): number | null {
  const from = (series[0]?.[0] ?? 0) + WARM_UP_MS;
  const points = series.filter(([t]) => t >= from);
  if ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0) < WARM_UP_MS) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return variance === 0 ? null : ((covariance / variance) * 60_000) / 1_024;
}
