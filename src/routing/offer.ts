/** What upstreams offer: one part of the routing table each. */
import { type Listing } from './listing.js';
import { type Presence } from './presence.js';

export type { Listing } from './listing.js';

/** One upstream's part of the table. */
export interface Offer<T> {
  readonly server: string;
  readonly prefix: string;
  /** The prefix that its configuration asks for, if any; kept for whoever builds the next table. */
  readonly wish?: string | undefined;
  readonly target: T;
  readonly listing: Listing;
  /** As the server said it, where `listing` is marked; kept for whoever builds the next table. */
  readonly unmarked?: Listing;
  /** What its configuration asks for when it is in trouble; kept likewise. */
  readonly presence?: Presence;
  /** False while it takes no calls and is withdrawn for it: its names still lead to it, so that callers hear why, but no list shows them. */
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
