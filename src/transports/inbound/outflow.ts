/**
 * What clients leave unread, kept within bounds: who lets too much pile up, or reads nothing of it for too long, is cut off.
 *
 * A check is one comparison a message; timers exist only for responses that have something unread.
 */
import { type ServerResponse } from 'node:http';

export interface OutflowLimits {
  /** Bytes that may wait for one client. One message may go past it. */
  readonly maxBufferedBytes: number;
  /** Milliseconds in which a client that has something unread must read some of it. */
  readonly stallTimeout: number;
}

export class Outflow {
  readonly #limits: () => OutflowLimits;
  readonly #onCut: () => void;

  /** `onCut` is called once for each client that is cut off. */
  constructor(limits: () => OutflowLimits, onCut: () => void) {
    this.#limits = limits;
    this.#onCut = onCut;
  }

  /** Whether so many unread bytes are too many to send more. The caller then cuts the client off, and says so by `cut`. */
  exceeds(unread: number): boolean {
    return unread > this.#limits().maxBufferedBytes;
  }

  cut(): void {
    this.#onCut();
  }

  /** Bounds what is unread of a response: destroys it when too much is, and watches it while something is. */
  admits(res: ServerResponse): boolean {
    if (!this.exceeds(res.writableLength)) return true;
    // Node holds back what is written in one turn: that is nothing which the client has left unread.
    res.socket?.uncork();
    if (!this.exceeds(res.writableLength)) return true;
    this.#destroy(res);
    return false;
  }

  /** Call after something was written. Node restarts the timer whenever the kernel takes some of it. */
  watch(res: ServerResponse): void {
    if (res.writableLength === 0 || res.listenerCount('timeout') > 0) return;
    res.setTimeout(this.#limits().stallTimeout);
    res.once('timeout', () => {
      if (res.writableLength > 0) this.#destroy(res);
      else res.setTimeout(0); // it was read after all; the next that is not begins anew
    });
  }

  #destroy(res: ServerResponse): void {
    if (res.destroyed) return;
    this.#onCut();
    res.destroy();
  }
}
