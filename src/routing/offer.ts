/** What upstreams offer: one part of the routing table each. */
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

/** One upstream's part of the table. */
export interface Offer<T> {
  readonly server: string;
  readonly prefix: string;
  /** The prefix that its configuration asks for, if any; kept for whoever builds the next table. */
  readonly wish?: string | undefined;
  readonly target: T;
  readonly listing: Listing;
  /** False while it takes no calls: its names still lead to it, so that callers hear why, but no list shows them. */
  readonly available: boolean;
  readonly toolFilter: (name: string) => boolean;
  /** Own names of tools that are in no list and take no calls; their names are known. */
  readonly quarantined?: ReadonlySet<string>;
}

const MAX_INSTRUCTIONS = 8_192;

/** Instructions are shown to a model: each server's under its name, cut at 8,192 characters together. */
export function joinInstructions<T>(
  offers: readonly Offer<T>[],
  prefixed: boolean,
  first?: string,
): string | undefined {
  const parts: string[] = first === undefined ? [] : [first];
  for (const { listing, prefix, available } of offers) {
    if (!available || listing.instructions === undefined || listing.instructions === '') continue;
    parts.push(prefixed ? `## ${prefix}\n${listing.instructions}` : listing.instructions);
  }
  return parts.length === 0 ? undefined : parts.join('\n\n').slice(0, MAX_INSTRUCTIONS);
}
