/** What of a server in trouble clients are shown. Pure. */
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { type Listing } from './listing.js';

/** withdraw: nothing. mark: its entries, each saying that it cannot be used now. keep: its entries as ever. */
export type Presence = 'withdraw' | 'mark' | 'keep';

/** In `_meta` of a marked entry, `true`. */
export const UNAVAILABLE_KEY = 'viable/unavailable';
/** Behind the description of a marked entry: a model reads it. */
export const UNAVAILABLE_NOTE = '(Unavailable now: its server is in trouble, and calls are refused until it recovers.)';

/** The listing with every entry marked. */
export function marked(listing: Listing): Listing {
  return {
    ...listing,
    tools: listing.tools.map(mark),
    prompts: listing.prompts.map(mark),
    resources: listing.resources.map(mark),
    resourceTemplates: listing.resourceTemplates.map(mark),
  };
}

function mark(entry: JsonObject): JsonObject {
  const { description, _meta } = entry;
  const said = typeof description === 'string' && description !== '' ? `${description} ` : '';
  return {
    ...entry,
    description: `${said}${UNAVAILABLE_NOTE}`,
    _meta: { ...(isJsonObject(_meta) ? _meta : {}), [UNAVAILABLE_KEY]: true },
  };
}
