/** What hurts about a pool, reported to the algedonic channel: leases that run out, clients that waited in vain. Process-free. */
import { type Ledger } from '../machines/pool.js';
import { type AlgedonicPort } from '../vsm/reading.js';
import { type PoolBook } from './pool-book.js';

/** Utilisation of the leases where pain begins. */
const PAIN = 0.9;
/** Below this nothing is reported that was quiet before. */
const QUIET = 0.7;

export class PoolPain {
  readonly #server: string;
  readonly #port: () => AlgedonicPort;
  /** Last utilisation that was reported. */
  #reported = 0;
  /** Checkouts in vain that were reported. */
  #inVain = 0;

  constructor(server: string, port: () => AlgedonicPort) {
    this.#server = server;
    this.#port = port;
  }

  /** `most`: leases that there can be. */
  utilisation({ inUse, waiting }: Ledger, most: number): void {
    const value = most === 0 ? 0 : inUse / most;
    if (value === this.#reported || Math.max(value, this.#reported) < QUIET) return;
    this.#reported = value;
    const message = `${inUse} of ${most} sessions with "${this.#server}" are in use, ${waiting} clients wait`;
    this.#report('pool_utilisation', value, PAIN, message);
  }

  /** 1 when clients waited in vain since the last time, else 0. */
  inVain({ timeouts, refused }: PoolBook): void {
    const before = this.#inVain;
    this.#inVain = timeouts + refused;
    if (this.#inVain === 0) return;
    const [value, message] =
      this.#inVain > before
        ? [1, `no session with "${this.#server}" became free in time`]
        : [0, `sessions with "${this.#server}" become free in time`];
    this.#report('pool_timeouts', value, 0.5, message);
  }

  #report(index: string, value: number, pain: number, message: string): void {
    this.#port().report({ source: `pool:${this.#server}`, index, value, pain, agony: 1, message });
  }
}
