/**
 * OAuth towards upstreams, by the helpers of the official SDK: discovery (RFC 9728, RFC 8414), registration (RFC 7591),
 * authorization code with PKCE, refresh, client credentials. The SDK is loaded when first needed, and never on the data
 * path. Source: MCP specification 2025-11-25, "Authorization".
 */
import type * as SdkModule from '@modelcontextprotocol/client';
import { isJsonObject } from '../protocol/jsonrpc.js';
import { type FetchLike } from './guarded-fetch.js';
import { type StoredCredential, type StoredTokens } from './token-store.js';

/** `viable.auth` of a server; meaning of each member: config/blocks/upstream-auth.ts. */
export interface UpstreamAuth {
  readonly type: 'client_credentials' | 'authorization_code';
  readonly tokenUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly scope?: string | undefined;
  readonly resource?: string | undefined;
  readonly allowedHosts: readonly string[];
}

type Sdk = typeof SdkModule;
type ServerInfo = Awaited<ReturnType<Sdk['discoverOAuthServerInfo']>>;

/** A login that waits for its callback. */
export interface PendingLogin {
  readonly url: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly info: ServerInfo;
  readonly client: StoredCredential['client'];
  readonly resource: string;
}

export class OAuth {
  readonly #server: URL;
  readonly #auth: UpstreamAuth;
  readonly #fetch: FetchLike;
  readonly #now: () => number;

  constructor(serverUrl: string, auth: UpstreamAuth, fetch: FetchLike, now: () => number) {
    this.#server = new URL(serverUrl);
    this.#auth = auth;
    this.#fetch = fetch;
    this.#now = now;
  }

  async clientCredentials(): Promise<StoredTokens> {
    const sdk = await import('@modelcontextprotocol/client');
    const { clientId = '', clientSecret = '', scope } = this.#auth;
    const info = await this.#info(sdk);
    const provider = new sdk.ClientCredentialsProvider({
      clientId,
      clientSecret,
      expectedIssuer: info.authorizationServerMetadata?.issuer ?? info.authorizationServerUrl,
      ...(scope !== undefined && { scope }),
    });
    const tokens = await sdk.fetchToken(provider, info.authorizationServerUrl, {
      ...metadataOf(info),
      resource: new URL(this.#resource()),
      ...(scope !== undefined && { scope }),
      fetchFn: this.#fetch,
    });
    return this.#stored(tokens);
  }

  async begin(redirectUri: string, state: string): Promise<PendingLogin> {
    const sdk = await import('@modelcontextprotocol/client');
    const info = await this.#info(sdk);
    const client = await this.#client(info, redirectUri);
    const resource = this.#resource();
    const scope = this.#auth.scope ?? info.resourceMetadata?.scopes_supported?.join(' ');
    const { authorizationUrl, codeVerifier } = await sdk.startAuthorization(info.authorizationServerUrl, {
      ...metadataOf(info),
      clientInformation: plain(client),
      redirectUrl: redirectUri,
      state,
      resource,
      ...(scope !== undefined && { scope }),
    });
    return { url: authorizationUrl.href, state, codeVerifier, redirectUri, info, client, resource };
  }

  async finish(login: PendingLogin, code: string, iss: string | undefined): Promise<StoredCredential> {
    const sdk = await import('@modelcontextprotocol/client');
    const { info, client, codeVerifier, redirectUri, resource } = login;
    const tokens = await sdk.exchangeAuthorization(info.authorizationServerUrl, {
      ...metadataOf(info),
      clientInformation: plain(client),
      authorizationCode: code,
      ...(iss !== undefined && { iss }),
      codeVerifier,
      redirectUri,
      resource,
      fetchFn: this.#fetch,
    });
    return { tokens: this.#stored(tokens), client, authorizationServer: info.authorizationServerUrl };
  }

  async refresh(credential: StoredCredential): Promise<StoredCredential> {
    const sdk = await import('@modelcontextprotocol/client');
    const { refreshToken } = credential.tokens;
    if (refreshToken === undefined) throw new Error('the token has ended, and there is none to refresh it with');
    const metadata = await sdk.discoverAuthorizationServerMetadata(credential.authorizationServer, {
      fetchFn: this.#fetch,
    });
    const tokens = await sdk.refreshAuthorization(credential.authorizationServer, {
      ...(metadata && { metadata }),
      clientInformation: plain(credential.client),
      refreshToken,
      resource: this.#resource(),
      fetchFn: this.#fetch,
    });
    const fresh = this.#stored(tokens);
    return { ...credential, tokens: { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken } };
  }

  async #info(sdk: Sdk): Promise<ServerInfo> {
    const { tokenUrl, issuer } = this.#auth;
    if (tokenUrl !== undefined) {
      const origin = new URL(tokenUrl).origin;
      const metadata = {
        issuer: issuer ?? origin,
        authorization_endpoint: tokenUrl,
        token_endpoint: tokenUrl,
        response_types_supported: ['code'],
      };
      return { authorizationServerUrl: issuer ?? origin, authorizationServerMetadata: metadata };
    }
    if (issuer === undefined) return sdk.discoverOAuthServerInfo(this.#server, { fetchFn: this.#fetch });
    const metadata = await sdk.discoverAuthorizationServerMetadata(issuer, { fetchFn: this.#fetch });
    if (!metadata) throw new Error(`${issuer} publishes no metadata`);
    return { authorizationServerUrl: issuer, authorizationServerMetadata: metadata };
  }

  async #client(info: ServerInfo, redirectUri: string): Promise<StoredCredential['client']> {
    const { clientId, clientSecret } = this.#auth;
    if (clientId !== undefined) return { client_id: clientId, client_secret: clientSecret };
    const endpoint = info.authorizationServerMetadata?.registration_endpoint;
    if (endpoint === undefined) throw new Error('the authorization server registers nobody: set viable.auth.clientId');
    const answer = await this.#fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_name: 'Viable MCP gateway',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    });
    const registered: unknown = await answer.json().catch(() => undefined);
    if (!answer.ok || !isJsonObject(registered) || typeof registered['client_id'] !== 'string')
      throw new Error(`the authorization server refused to register the gateway (${answer.status})`);
    const { client_id, client_secret } = registered;
    return { client_id, client_secret: typeof client_secret === 'string' ? client_secret : undefined };
  }

  /** The server itself (RFC 8707), unless configured. */
  #resource(): string {
    const { origin, pathname } = this.#server;
    return this.#auth.resource ?? `${origin}${pathname === '/' ? '' : pathname}`;
  }

  #stored(tokens: {
    access_token: string;
    refresh_token?: string | undefined;
    expires_in?: number | undefined;
    scope?: string | undefined;
  }): StoredTokens {
    const { access_token, refresh_token, expires_in, scope } = tokens;
    return {
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresAt: expires_in === undefined ? null : this.#now() + expires_in * 1_000,
      scope,
    };
  }
}

function metadataOf({ authorizationServerMetadata: metadata }: ServerInfo): {
  metadata?: NonNullable<typeof metadata>;
} {
  return metadata ? { metadata } : {};
}

/** The SDK tells absent members from undefined ones. */
function plain({ client_id, client_secret }: StoredCredential['client']): {
  client_id: string;
  client_secret?: string;
} {
  return client_secret === undefined ? { client_id } : { client_id, client_secret };
}
