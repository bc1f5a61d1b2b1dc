/** The lists of one server. */
import { type CacheHints } from '../protocol/modern/caching.js';
import { type JsonObject } from '../protocol/jsonrpc.js';

/** What a server offers, as it said it. */
export interface Listing {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  /** `capabilities` and `instructions` of its `initialize` answer. */
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** How long and by whom it may be kept, as the server said; servers of the legacy era do not say. */
  readonly hints: CacheHints;
}
