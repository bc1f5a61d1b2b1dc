/** Offers of made-up servers, for tests of routing. The target of a route is its server's name. */
import { namespacePrefix } from '#src/protocol/naming.js';
import { type Listing, type Offer } from '#src/routing/routing-table.js';
import { type ToolsetOptions } from '#src/routing/scopes.js';

type Item = Record<string, unknown>;

export interface Wares {
  readonly tools?: readonly (string | Item)[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
  readonly templates?: readonly string[];
  readonly instructions?: string;
  readonly available?: boolean;
}

export function listing(wares: Wares): Listing {
  const { tools = [], prompts = [], resources = [], templates = [], instructions } = wares;
  return {
    tools: tools.map((tool) => (typeof tool === 'string' ? { name: tool, inputSchema: { type: 'object' } } : tool)),
    prompts: prompts.map((name) => ({ name })),
    resources: resources.map((uri) => ({ uri, name: uri })),
    resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })),
    capabilities: {
      ...(wares.tools && { tools: {} }),
      ...(wares.prompts && { prompts: {} }),
      ...((wares.resources ?? wares.templates) && { resources: {} }),
    },
    instructions,
    hints: { ttlMs: 0, cacheScope: 'private' },
  };
}

export function offer(server: string, wares: Wares): Offer<string> {
  return {
    server,
    prefix: namespacePrefix(server),
    target: server,
    listing: listing(wares),
    available: wares.available ?? true,
    toolFilter: () => true,
  };
}

/** What `compileScopeRules` takes. */
export function scopeOptions(toolsets: Record<string, ToolsetOptions> = {}, enabled = false, maxResults = 10) {
  return { catalogue: { search: { enabled, maxResults } }, toolsets };
}
