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
