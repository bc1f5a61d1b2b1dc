/**
 * Requests that are not recorded: decided before anything is made. A context that the caller gave goes on all the same. Those
 * that brought none get none: writing one into each costs a call more than 1 % (docs/adr/0010).
 */
import { metaOf } from '../../protocol/modern/meta.js';
import { readContext, type CallTrace, type TraceContext, type TracedCall } from './call-trace.js';

/** The request brought a context in its `_meta` that says "not recorded". One object serves all of them. */
export class UnsampledMeta implements CallTrace {
  readonly recorded = false;
  sent({ params }: TracedCall): TraceContext | null {
    return readContext(metaOf(params));
  }

  event(): void {
    // not recorded
  }

  measured(): void {
    // not recorded
  }

  received(): void {
    // not recorded
  }

  ended(): void {
    // not recorded
  }
}

/** The request brought a context in its headers that says "not recorded": it goes on in `_meta` as well. */
export class UnsampledHeaders implements CallTrace {
  readonly recorded = false;
  readonly #context: TraceContext;

  constructor(context: TraceContext) {
    this.#context = context;
  }

  sent(): TraceContext {
    return this.#context;
  }

  event(): void {
    // not recorded
  }

  measured(): void {
    // not recorded
  }

  received(): void {
    // not recorded
  }

  ended(): void {
    // not recorded
  }
}
