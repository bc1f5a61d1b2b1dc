/**
 * Request and reply between actors, with a deadline, failing at once when the target dies. Source: gen_server:call/3.
 */
import { Cell } from './cell.js';
import { describeExit, type Ref } from './ref.js';
import { type MonitorHandle } from './child-spec.js';
import { type TimerHandle } from './clock.js';
import { type TimerWheel } from './timer-wheel.js';

export type AskFailure = 'timeout' | 'noproc' | 'full' | 'down';

/** Where an answer goes. Only the first `reply` counts. */
export interface ReplyTo<R> {
  reply(value: R): void;
}

export class AskError extends Error {
  readonly why: AskFailure;
  constructor(why: AskFailure, detail: string) {
    super(detail);
    this.name = 'AskError';
    this.why = why;
  }
}

/**
 * Sends `message(replyTo)` on the urgent lane and resolves with the reply. Rejects with an `AskError`: `noproc` or
 * `full` at once, `down` when the target exits first, `timeout` after `timeoutMs`. Control plane only: the data path
 * never asks.
 */
export function ask<M, R>(
  wheel: TimerWheel,
  target: Ref<M> | undefined,
  message: (replyTo: ReplyTo<R>) => M,
  timeoutMs: number,
): Promise<R> {
  return new Promise((resolve, reject) => {
    if (!(target instanceof Cell)) {
      reject(new AskError('noproc', 'there is no such actor'));
      return;
    }
    let timer: TimerHandle | null = null;
    let monitor: MonitorHandle | null = null;
    const settle = (): void => {
      timer?.cancel();
      monitor?.cancel();
    };
    const sent = target.urgent(
      message({
        reply: (value: R) => {
          settle();
          resolve(value);
        },
      }),
    );
    if (sent !== 'ok') {
      reject(new AskError(sent, `${target.path} takes no message: ${sent}`));
      return;
    }
    timer = wheel.after(timeoutMs, () => {
      settle();
      reject(new AskError('timeout', `${target.path} did not answer within ${timeoutMs} ms`));
    });
    monitor = target.onExit((reason) => {
      settle();
      reject(new AskError('down', `${target.path} exited: ${describeExit(reason)}`));
    });
  });
}
