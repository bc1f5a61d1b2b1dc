/**
 * Notices that another program answers at an upstream's address, of the other era, while no connection was ever lost.
 * Process-free.
 *
 * An answer that only a server of the other era gives is proof. An HTTP status that a server of sessions does not give
 * within one is a doubt: the server is asked which era it speaks, and the body of its answer decides.
 * Source: MCP specification 2026-07-28, "Streamable HTTP › Backward Compatibility".
 */
import { type Clock } from '../kernel/index.js';
import { type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type TransportError } from '../transports/outbound/transport.js';
import { disprovesEra } from './upstream-greeting.js';
import { type Era } from './upstream-gate.js';
import { type FinalVerdict } from './upstream-probe.js';

export interface EraWatchDeps {
  /** Of the server that the session was opened with; `undefined` before that is known. */
  readonly era: () => Era | undefined;
  /** Asks the server for its era. Must not reject. */
  readonly probe: () => Promise<FinalVerdict>;
  readonly clock: Clock;
  /** A server of the other era answers: told at most once. */
  readonly onChange: () => void;
}

/** Servers that answer mistakes of clients with such a status are asked at most this often. Milliseconds. */
const PAUSE_MS = 1_000;

export class EraWatch {
  readonly #deps: EraWatchDeps;
  #asking = false;
  #notBefore = 0;
  #changed = false;

  constructor(deps: EraWatchDeps) {
    this.#deps = deps;
  }

  /** Something came back from the server. */
  heard(answer: JsonRpcResponse | TransportError): void {
    const era = this.#deps.era();
    if (era !== undefined && disprovesEra(era, answer)) this.#change();
  }

  /** The server refused a message of a legacy session by HTTP status. */
  doubt(): void {
    const { era, probe, clock } = this.#deps;
    if (this.#asking || this.#changed || era() !== 'legacy' || clock.now() < this.#notBefore) return;
    this.#asking = true;
    void probe().then((verdict) => {
      this.#asking = false;
      this.#notBefore = clock.now() + PAUSE_MS;
      if (verdict.era === 'modern') this.#change();
    });
  }

  #change(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#deps.onChange();
  }
}
