/** Listings and offers for tests of routing and catalogue. */
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { NO_CACHING } from '#src/protocol/modern/caching.js';
import { assignPrefixes } from '#src/protocol/naming.js';
import { type Listing, type Offer } from '#src/routing/routing-table.js';

export const NOTHING: Listing = {
  tools: [],
  prompts: [],
  resources: [],
  resourceTemplates: [],
  capabilities: {},
  instructions: undefined,
  hints: NO_CACHING,
};

/** A listing with these names and URIs; a capability for whatever is not empty. */
export function listing(parts: {
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceTemplates?: readonly string[];
  readonly capabilities?: JsonObject;
  readonly instructions?: string;
}): Listing {
  const items = (key: string, names: readonly string[] = []): JsonObject[] => names.map((name) => ({ [key]: name }));
  const { tools, prompts, resources, resourceTemplates, instructions } = parts;
  return {
    tools: items('name', tools),
    prompts: items('name', prompts),
    resources: items('uri', resources),
    resourceTemplates: items('uriTemplate', resourceTemplates),
    capabilities: parts.capabilities ?? {
      ...(tools && { tools: {} }),
      ...(prompts && { prompts: {} }),
      ...((resources ?? resourceTemplates) && { resources: {} }),
    },
    instructions,
    hints: NO_CACHING,
  };
}

export interface Part {
  readonly server: string;
  readonly listing: Listing;
  readonly available?: boolean;
  readonly toolFilter?: (name: string) => boolean;
}

/** Offers as the catalogue makes them; each leads to the name of its server. */
export function offersOf(parts: readonly Part[]): Offer<string>[] {
  const { prefixes } = assignPrefixes(parts.map((part) => part.server));
  return parts.map(({ server, listing: offered, available = true, toolFilter = () => true }) => ({
    server,
    prefix: prefixes.get(server) ?? '',
    target: server,
    listing: offered,
    available,
    toolFilter,
  }));
}
