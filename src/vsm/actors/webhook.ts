/**
 * Webhook: tells an operator outside of alarms that came to nobody else. JSON by POST, a few attempts each, in order.
 *
 * Invariants: a bounded number waits, the oldest goes first and is dropped first (counted); it never holds up the channel.
 */
import { request } from 'undici';
import { type Clock, type TimerHandle } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { type Counters } from '../../telemetry/counters.js';
import { type Alarm } from '../alarms-model.js';

export type Notice = 'escalated' | 'cleared';

export interface OperatorSink {
  send(what: Notice, alarm: Alarm): void;
  /** No more attempts. */
  close(): void;
}

export interface WebhookOptions {
  /** `null`: nobody is told. */
  readonly url: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly attempts: number;
}

export interface WebhookDeps {
  readonly options: () => WebhookOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly counters: Counters;
  /** Which gateway speaks. */
  readonly gateway: () => string;
}

const MAX_WAITING = 100;
/** The wait before the second attempt; doubles with each, with full jitter. */
const BACKOFF_MS = 1_000;

export class Webhook implements OperatorSink {
  readonly #deps: WebhookDeps;
  #waiting: string[] = [];
  #busy = false;
  #pause: { readonly timer: TimerHandle; readonly go: () => void } | null = null;
  #abort = new AbortController();

  constructor(deps: WebhookDeps) {
    this.#deps = deps;
  }

  send(what: Notice, alarm: Alarm): void {
    const { options, clock, gateway, counters } = this.#deps;
    if (options().url === null) return;
    this.#waiting.push(JSON.stringify({ event: `alarm_${what}`, gateway: gateway(), at: clock.now(), alarm }));
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      counters.drop('webhook_overflow');
    }
    if (!this.#busy) void this.#work();
  }

  close(): void {
    this.#waiting = [];
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#pause?.timer.cancel();
    this.#pause?.go();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    const { signal } = this.#abort;
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) {
      await this.#deliver(body, signal);
    }
    this.#busy = false;
  }

  async #deliver(body: string, signal: AbortSignal): Promise<void> {
    const { options, counters, log } = this.#deps;
    let why = '';
    for (let attempt = 1; attempt <= options().attempts && !signal.aborted; attempt++) {
      if (attempt > 1) await this.#wait(this.#deps.random() * BACKOFF_MS * 2 ** (attempt - 1));
      const failure = await this.#post(body, signal);
      if (failure === undefined) return;
      why = failure;
    }
    if (signal.aborted) return;
    counters.drop('webhook_failed');
    log.error({ event: 'webhook_failed', why }, 'the operator could not be told by webhook');
  }

  /** Why it failed; `undefined` when it was taken. */
  async #post(body: string, signal: AbortSignal): Promise<string | undefined> {
    const { url, headers, timeout } = this.#deps.options();
    if (url === null) return undefined;
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      });
      await answer.body.dump();
      return answer.statusCode < 300 ? undefined : `HTTP ${answer.statusCode}`;
    } catch (cause) {
      return cause instanceof Error ? cause.message : 'no answer';
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#pause = null;
        resolve();
      };
      this.#pause = { timer: this.#deps.clock.after(ms, go), go };
    });
  }
}
