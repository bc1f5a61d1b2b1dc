/**
 * Finds out which era an upstream speaks, over the transport that is open: asks `server/discover` until the answer means
 * something. The meaning is `src/protocol/modern/probe.ts`; here are the waiting and the asking.
 */
import { isJsonObject, type JsonObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { probeRequest, type ProbeOutcome, type ProbeVerdict, startProbe, stepProbe } from '../protocol/modern/probe.js';
import { type ModernRevision, MODERN_REVISION } from '../protocol/revisions.js';
import { type TransportError } from '../transports/outbound/transport.js';

export type FinalVerdict = Exclude<ProbeVerdict, { readonly era: 'retry' }>;

/** A request of the gateway's own that got no answer. */
export class RequestFailed extends Error {
  readonly transport: TransportError | undefined;
  constructor(message: string, transport?: TransportError) {
    super(message);
    this.transport = transport;
  }
}

export interface ProbeDeps {
  readonly network: 'pipe' | 'tcp';
  readonly clientInfo: JsonObject;
  /** Sends a modern request; rejects with `RequestFailed`. */
  readonly ask: (method: string, params: JsonObject, version: ModernRevision) => Promise<JsonRpcResponse>;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /** How long one answer may take before silence is taken as one. */
  readonly patienceMs: number;
}

const PAUSE_MS = 500;

export async function probeEra(deps: ProbeDeps): Promise<FinalVerdict> {
  let state = startProbe(deps.network === 'pipe' ? 'stdio' : 'http', MODERN_REVISION);
  for (;;) {
    const verdict = stepProbe(state, await outcomeOf(deps, state));
    if (verdict.era !== 'retry') return verdict;
    if (verdict.reason === 'unavailable') await deps.wait(PAUSE_MS);
    state = verdict.state;
  }
}

async function outcomeOf(deps: ProbeDeps, state: ReturnType<typeof startProbe>): Promise<ProbeOutcome> {
  const { method, params } = probeRequest(state, 'probe', deps.clientInfo);
  const silence = deps.wait(deps.patienceMs).then((): ProbeOutcome => ({ kind: 'timeout' }));
  const answer = deps.ask(method, isJsonObject(params) ? params : {}, state.version).then(
    (message): ProbeOutcome => ({ kind: 'answer', message }),
    (cause: unknown): ProbeOutcome => {
      const status = cause instanceof RequestFailed ? cause.transport?.status : undefined;
      return status === undefined ? { kind: 'failed' } : { kind: 'answer', status, message: undefined };
    },
  );
  return Promise.race([silence, answer]);
}
