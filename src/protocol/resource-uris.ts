/**
 * Resource URIs behind one endpoint: they stay as they are and are routed; a URI that several servers have stays plain
 * for one of them and gets a prefix for the others.
 *
 * The prefixed form is `viable://<prefix>/<uri>`. It is stable: it names its server for good and always routes to it,
 * collision or not, so a client may keep it. Prefixes (`naming.ts`) are made of characters that RFC 3986 allows in an
 * authority, and the rest is the untouched URI, so a URI template can be prefixed in the same way.
 */

const SCHEME = 'viable://';

/** The URI under which a server's resource can always be reached. */
export function prefixedUri(prefix: string, uri: string): string {
  return `${SCHEME}${prefix}/${uri}`;
}

/** The inverse of `prefixedUri`; `undefined` for any other URI. */
export function splitPrefixedUri(uri: string): { readonly prefix: string; readonly uri: string } | undefined {
  if (!uri.startsWith(SCHEME)) return undefined;
  const slash = uri.indexOf('/', SCHEME.length);
  if (slash <= SCHEME.length) return undefined;
  return { prefix: uri.slice(SCHEME.length, slash), uri: uri.slice(slash + 1) };
}

/** Levels above a resource that are looked at; servers write URIs as deep as they like. */
const MAX_LEVELS = 64;

/**
 * The URI and those of the resources that it may be a sub-resource of, the nearest first: what is above a slash, with the
 * slash and without. An update of a sub-resource is for whoever subscribes to one of these.
 *
 * Source: MCP specification, "Server Features › Resources › Subscriptions": "This might be a sub-resource of the one that
 * the client actually subscribed to."
 */
export function* uriAndAbove(uri: string): Iterable<string> {
  yield uri;
  let at = uri.length;
  for (let level = 0; level < MAX_LEVELS; level++) {
    at = uri.lastIndexOf('/', at - 1);
    if (at <= 0) return;
    if (at + 1 < uri.length) yield uri.slice(0, at + 1);
    yield uri.slice(0, at);
  }
}

/** The URI of a sub-resource for a client that knows the one above, `own` at its server, as `shown`. */
export function shownBelow(uri: string, own: string, shown: string): string {
  return shown.endsWith(own) ? shown.slice(0, shown.length - own.length) + uri : uri;
}

export interface ResourceOwner {
  readonly prefix: string;
  /** The server's own URI. */
  readonly uri: string;
}

export interface ResourceUriConflict {
  readonly uri: string;
  /** Prefixes of the servers that have it, sorted; the first one keeps the plain URI. */
  readonly prefixes: readonly string[];
}

export interface ResourceUriAssignment {
  /** URI that clients see → owner. Injective: an owner's URI has one entry. */
  readonly owners: ReadonlyMap<string, ResourceOwner>;
  readonly conflicts: readonly ResourceUriConflict[];
}

/**
 * Decides the URIs that clients see. The result depends on the set of offers alone. A server's URI that looks prefixed
 * already is prefixed once more, so that no server can pose as another.
 */
export function assignResourceUris(offers: Iterable<ResourceOwner>): ResourceUriAssignment {
  const prefixesOf = new Map<string, Set<string>>();
  for (const { prefix, uri } of offers) {
    const prefixes = prefixesOf.get(uri);
    if (prefixes === undefined) prefixesOf.set(uri, new Set([prefix]));
    else prefixes.add(prefix);
  }
  const owners = new Map<string, ResourceOwner>();
  const conflicts: ResourceUriConflict[] = [];
  for (const uri of [...prefixesOf.keys()].sort()) {
    const prefixes = [...(prefixesOf.get(uri) ?? [])].sort();
    if (prefixes.length > 1) conflicts.push({ uri, prefixes });
    prefixes.forEach((prefix, index) => {
      const plain = index === 0 && !uri.startsWith(SCHEME);
      owners.set(plain ? uri : prefixedUri(prefix, uri), { prefix, uri });
    });
  }
  return { owners, conflicts };
}
