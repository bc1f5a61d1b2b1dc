/**
 * What was sent on the event streams of one session, for a client that lost a stream and comes back with
 * `Last-Event-ID`. Bounded in events and characters; the oldest go first.
 *
 * An id is `<stream>-<number>`: it names the stream that it continues, as the specification asks. Stream 0 is the
 * standalone one (GET). Source: MCP specification 2025-11-25, "Transports › Resumability and Redelivery".
 */
export const STANDALONE = 0;

const MAX_EVENTS = 512;
const MAX_CHARACTERS = 2 * 1024 * 1024;
const ID = /^(\d{1,12})-(\d{1,12})$/;

interface Event {
  readonly stream: number;
  readonly number: number;
  readonly text: string;
}

/** What of a log goes to another process. */
export interface ReplayState {
  readonly streams: number;
  readonly numbers: number;
  /** Stream, number and text, oldest first. */
  readonly events: readonly (readonly [stream: number, number: number, text: string])[];
}

/** Characters that go to another process: the newest events. */
const MAX_STATE_CHARACTERS = 256 * 1024;

export interface Replay {
  readonly stream: number;
  /** What came after the id, oldest first. */
  readonly events: readonly { readonly id: string; readonly text: string }[];
}

export class ReplayLog {
  #events: Event[] = [];
  #characters = 0;
  #streams = 0;
  #numbers = 0;

  /** A log that goes on where another one ended. */
  static of({ streams, numbers, events }: ReplayState): ReplayLog {
    const log = new ReplayLog();
    log.#streams = streams;
    log.#numbers = numbers;
    log.#events = events.map(([stream, number, text]) => ({ stream, number, text }));
    log.#characters = log.#events.reduce((sum, { text }) => sum + text.length, 0);
    return log;
  }

  get state(): ReplayState {
    let characters = 0;
    let from = this.#events.length;
    while (from > 0 && (characters += this.#events[from - 1]?.text.length ?? 0) <= MAX_STATE_CHARACTERS) from -= 1;
    const events = this.#events.slice(from).map(({ stream, number, text }) => [stream, number, text] as const);
    return { streams: this.#streams, numbers: this.#numbers, events };
  }

  /** A new stream's number. */
  open(): number {
    return (this.#streams += 1);
  }

  /** Keeps what is sent; returns its id. */
  append(stream: number, text: string): string {
    const number = (this.#numbers += 1);
    this.#events.push({ stream, number, text });
    this.#characters += text.length;
    while (this.#events.length > MAX_EVENTS || (this.#characters > MAX_CHARACTERS && this.#events.length > 1)) {
      this.#characters -= this.#events.shift()?.text.length ?? 0;
    }
    return `${stream}-${number}`;
  }

  /** What followed `id` on its stream; `undefined` for an id that this log never gave. Evicted events are missing. */
  after(id: string): Replay | undefined {
    const match = ID.exec(id);
    if (!match) return undefined;
    const stream = Number(match[1]);
    const number = Number(match[2]);
    if (stream > this.#streams || number > this.#numbers) return undefined;
    const events = this.#events
      .filter((event) => event.stream === stream && event.number > number)
      .map((event) => ({ id: `${stream}-${event.number}`, text: event.text }));
    return { stream, events };
  }
}
