/**
 * What a client is told when it must log in, or log in for more: `WWW-Authenticate`, and where it reads how. Pure.
 *
 * Sources: RFC 6750, 3; RFC 9728, 2, 3.1 and 5.1; MCP specification, "Authorization".
 */
const METADATA_PATH = '/.well-known/oauth-protected-resource';

export interface ChallengeParts {
  /** RFC 6750, 3.1. Absent where no credential came. */
  readonly error?: 'invalid_token' | 'insufficient_scope' | 'invalid_request';
  readonly description?: string;
  /** Scopes that would do. */
  readonly scopes?: readonly string[];
  /** The address of the protected resource, `https://gateway.example/mcp`. */
  readonly resource: string;
}

/** The value of `WWW-Authenticate`. */
export function challenge({ error, description, scopes = [], resource }: ChallengeParts): string {
  const parts = [
    'Bearer realm="viable"',
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(description === undefined ? [] : [`error_description="${quotable(description)}"`]),
    ...(scopes.length === 0 ? [] : [`scope="${quotable(scopes.join(' '))}"`]),
    `resource_metadata="${quotable(metadataUrl(resource))}"`,
  ];
  return parts.join(', ');
}

/** RFC 9728, 3.1: the well-known path comes before the path of the resource. */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA_PATH}${pathname === '/' ? '' : pathname}`;
}

export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly bearer_methods_supported: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly resource_name: string;
}

/** `authorizationServers`: issuers that are addresses; one that only has a name gives no token to strangers. */
export function resourceMetadata(
  resource: string,
  authorizationServers: readonly string[],
  scopes: readonly string[],
): ResourceMetadata {
  return {
    resource,
    ...(authorizationServers.length > 0 && { authorization_servers: authorizationServers }),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: 'Viable MCP gateway',
  };
}

/** What may stand between quotes in a header. */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, '');
}
