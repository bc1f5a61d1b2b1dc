/**
 * Large messages in turn: so many bytes in each turn of the event loop, however many come at once, so that others are served
 * between them. Small messages do not wait. Plain code in I/O callbacks.
 */
import { type WebSocket } from 'ws';

/** Messages of more bytes wait for their turn. */
const LARGE_BYTES = 16 * 1024;
/** After so many bytes the next message waits for the next turn. */
const TURN_BYTES = 64 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly job: () => void;
}

export class Intake {
  readonly #maxBytes: () => number;
  readonly #waiting: Waiting[] = [];

  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the largest message that is taken. */
  get maxBytes(): number {
    return this.#maxBytes();
  }

  isLarge(bytes: number): boolean {
    return bytes > LARGE_BYTES;
  }

  /** Calls `job`, which reads so many bytes, in a later turn of the event loop; in order. */
  inTurn(bytes: number, job: () => void): void {
    if (this.#waiting.push({ bytes, job }) === 1) setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    try {
      for (let bytes = 0, next = this.#waiting[0]; next && bytes < TURN_BYTES; next = this.#waiting[0]) {
        bytes += next.bytes;
        this.#waiting.shift();
        next.job();
      }
    } finally {
      if (this.#waiting.length > 0) setImmediate(this.#turn);
    }
  };
}

/** The frames of one WebSocket, in order. While a large one waits for its turn, nothing is read. */
export class FrameIntake {
  readonly #intake: Intake;
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  readonly #deliver: (data: Buffer) => void;
  #waiting = 0;

  constructor(intake: Intake, socket: Pick<WebSocket, 'pause' | 'resume'>, deliver: (data: Buffer) => void) {
    this.#intake = intake;
    this.#socket = socket;
    this.#deliver = deliver;
  }

  take(data: Buffer): void {
    if (this.#waiting === 0 && !this.#intake.isLarge(data.length)) return this.#deliver(data);
    this.#waiting += 1;
    this.#socket.pause();
    this.#intake.inTurn(data.length, () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#socket.resume();
      this.#deliver(data);
    });
  }
}
