/** Handlers that remember, can be waited for, and notice when they are called at a forbidden moment. */
import type { JsonRpcId, JsonRpcMessage } from '#src/protocol/jsonrpc.js';
import type { OutboundHandlers, OutboundTransport, TransportError } from '#src/transports/outbound/transport.js';

type Ending =
  | { readonly kind: 'answer'; readonly message: JsonRpcMessage }
  | { readonly kind: 'failed'; readonly error: TransportError }
  | { readonly kind: 'closed'; readonly error: TransportError };

export class Recorder implements OutboundHandlers {
  readonly messages: JsonRpcMessage[] = [];
  readonly failures: [JsonRpcId, TransportError][] = [];
  readonly closings: TransportError[] = [];
  readonly stderr: string[] = [];
  readonly junk: [string, number][] = [];
  readonly violations: string[] = [];
  bytes = 0;
  #inside: string | undefined;
  readonly #watchers = new Set<() => void>();

  onMessage(message: JsonRpcMessage, bytes: number): void {
    this.messages.push(message);
    this.bytes += bytes;
    this.#changed('onMessage');
  }

  onRequestFailed(id: JsonRpcId, error: TransportError): void {
    this.failures.push([id, error]);
    this.#changed('onRequestFailed');
  }

  onClosed(error: TransportError): void {
    this.closings.push(error);
    this.#changed('onClosed');
  }

  onStderr(line: string): void {
    this.stderr.push(line);
    this.#changed('onStderr');
  }

  /** Times that the server's identity was in doubt. */
  doubts = 0;

  onDoubt(): void {
    this.doubts += 1;
    this.#changed('onDoubt');
  }

  onJunk(sample: string, bytes: number): void {
    this.junk.push([sample, bytes]);
    this.#changed('onJunk');
  }

  /** Resolves with the first value of `look` that is not undefined; looks again after every call of a handler. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#watchers.delete(watcher);
        resolve(found);
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  /** What became of a request: its answer, its failure or the end of the transport, whichever was first. */
  ending(id: JsonRpcId): Promise<Ending> {
    return this.until(() => {
      const message = this.messages.find((one) => !('method' in one) && one.id === id);
      if (message !== undefined) return { kind: 'answer', message };
      const failure = this.failures.find(([failed]) => failed === id);
      if (failure !== undefined) return { kind: 'failed', error: failure[1] };
      const [closing] = this.closings;
      return closing === undefined ? undefined : { kind: 'closed', error: closing };
    });
  }

  closed(): Promise<TransportError> {
    return this.until(() => this.closings[0]);
  }

  /** The result of a request; throws when it failed. */
  async result(id: JsonRpcId): Promise<Record<string, unknown>> {
    const ending = await this.ending(id);
    if (ending.kind !== 'answer') throw new Error(`request ${id}: ${ending.error.kind}: ${ending.error.message}`);
    if (!('result' in ending.message)) throw new Error(`request ${id} was answered with an error`);
    return ending.message.result;
  }

  /** The transport, watched: a handler called inside `open`, `send` or `close` is a violation. */
  watch(transport: OutboundTransport): OutboundTransport {
    const within = <T>(name: string, call: () => T): T => {
      this.#inside = name;
      try {
        return call();
      } finally {
        this.#inside = undefined;
      }
    };
    return {
      network: transport.network,
      get pid() {
        return transport.pid;
      },
      open: (signal) => within('open', () => transport.open(signal)),
      send: (message, headers) => within('send', () => transport.send(message, headers)),
      setProtocolVersion: (version) => transport.setProtocolVersion(version),
      listen: () => within('listen', () => transport.listen()),
      abandon: (id) => within('abandon', () => transport.abandon(id)),
      close: (graceMs) => within('close', () => transport.close(graceMs)),
    };
  }

  #changed(handler: string): void {
    if (this.#inside !== undefined) this.violations.push(`${handler} inside ${this.#inside}`);
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export function request(id: JsonRpcId, method: string, params: Record<string, unknown> = {}): JsonRpcMessage {
  return { jsonrpc: '2.0', id, method, params };
}

export function notification(method: string): JsonRpcMessage {
  return { jsonrpc: '2.0', method };
}

/** A signal that is never raised. */
export const patient: AbortSignal = new AbortController().signal;
