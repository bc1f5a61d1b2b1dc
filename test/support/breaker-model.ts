/**
 * A circuit breaker as plain code, written from its documentation and not from the machine: calls are kept one by one, and
 * the window is recounted each time.
 */
import { type BreakerInput, type BreakerPhase, type BreakerRules } from '#src/machines/breaker.js';

interface Ended {
  readonly at: number;
  readonly failed: boolean;
}

export class BreakerModel {
  phase: BreakerPhase = 'closed';
  cause: 'failures' | 'unreachable' | 'operator' | null = null;
  opens = 0;
  until: number | null = null;
  #rules: BreakerRules;
  #calls: Ended[] = [];
  #consecutive = 0;
  #reachable = true;
  #holds = 0;

  constructor(rules: BreakerRules) {
    this.#rules = rules;
  }

  /** Calls of the window that ends now: of its tenth and the nine before it. */
  counted(now: number): { samples: number; failures: number } {
    const tenth = (at: number): number => Math.floor((at * 10) / this.#rules.window);
    const inside = this.#calls.filter(({ at }) => tenth(at) > tenth(now) - 10);
    return { samples: inside.length, failures: inside.filter(({ failed }) => failed).length };
  }

  send(event: BreakerInput, now: number): void {
    switch (event.type) {
      case 'force_open':
        this.phase = 'forced';
        this.cause = 'operator';
        this.until = null;
        return;
      case 'try':
        this.cause ??= 'operator';
        return this.#tryOut();
      case 'reset':
        return this.#forget();
      case 'configured':
        if (event.rules.window !== this.#rules.window) this.#calls = [];
        this.#rules = event.rules;
        return;
      case 'observed':
        return this.#observed(event.succeeded, event.failed, event.consecutive, now);
      case 'reachable':
        this.#reachable = true;
        if (this.phase !== 'open' || (this.until !== null && now < this.until)) return;
        if (this.cause === 'unreachable') this.#forget();
        else this.#tryOut();
        return;
      case 'unreachable':
        this.#reachable = false;
        if (this.phase === 'closed' && this.#rules.enabled) this.#open('unreachable', now);
        else if (this.phase === 'free' || this.phase === 'probing') this.#open('unreachable', now);
        return;
      case 'expired':
        if (this.phase === 'open' && this.#reachable && this.until !== null && now >= this.until) this.#tryOut();
        return;
      case 'held':
        if (this.phase === 'open' && event.forMs > 0) this.until = Math.max(this.until ?? 0, now + event.forMs);
        return;
      case 'probe_sent':
        if (this.phase === 'free') this.phase = 'probing';
        return;
      case 'probe_lost':
        if (this.phase === 'probing') this.phase = 'free';
        return;
      case 'probe_succeeded':
        if (this.phase === 'probing') this.#forget();
        return;
      case 'probe_failed':
        if (this.phase === 'probing') this.#open('failures', now);
        return;
    }
  }

  #observed(succeeded: number, failed: number, consecutive: number, now: number): void {
    if (this.phase !== 'closed') return;
    for (let i = 0; i < succeeded; i++) this.#calls.push({ at: now, failed: false });
    for (let i = 0; i < failed; i++) this.#calls.push({ at: now, failed: true });
    this.#consecutive = consecutive;
    const { enabled, consecutiveFailures, failureRatio, minimumSamples } = this.#rules;
    const { samples, failures } = this.counted(now);
    const row = consecutiveFailures > 0 && this.#consecutive >= consecutiveFailures;
    const part = samples >= minimumSamples && failures > 0 && failures / samples >= failureRatio;
    if (enabled && (row || part)) this.#open('failures', now);
  }

  #open(cause: 'failures' | 'unreachable', now: number): void {
    const { openFor, maxOpenFor } = this.#rules;
    this.phase = 'open';
    this.cause = cause;
    this.opens += 1;
    this.until = cause === 'unreachable' ? null : now + Math.min(maxOpenFor, openFor * 2 ** this.#holds);
    this.#holds += 1;
  }

  #tryOut(): void {
    this.phase = 'free';
    this.until = null;
  }

  #forget(): void {
    this.phase = 'closed';
    this.cause = null;
    this.until = null;
    this.#calls = [];
    this.#consecutive = 0;
    this.#holds = 0;
  }
}
