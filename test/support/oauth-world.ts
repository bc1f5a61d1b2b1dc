/** An authorization server and, in front of a fixture, a guard that lets only its tokens pass. One HTTP server. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo } from 'node:net';

export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

export class OAuthWorld {
  readonly seen: Seen[] = [];
  /** Tokens that the guard lets pass. */
  readonly valid = new Set<string>();
  /** Seconds that a token is said to live. */
  expiresIn = 3_600;
  readonly #server: Server;
  readonly #upstream: URL;
  readonly #codes = new Map<string, { readonly challenge: string; readonly redirect: string }>();

  private constructor(server: Server, upstream: string) {
    this.#server = server;
    this.#upstream = new URL(upstream);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
  }

  static async start(upstream: string): Promise<OAuthWorld> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OAuthWorld(server, upstream);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const json = (body: object, status = 200): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === this.#upstream.pathname) {
      this.#guard(request, response);
      return;
    }
    if (url.pathname.startsWith('/.well-known/oauth-protected-resource')) {
      json({ resource: `${this.origin}${this.#upstream.pathname}`, authorization_servers: [this.origin] });
      return;
    }
    if (url.pathname.startsWith('/.well-known/')) {
      json(this.#metadata());
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const form = Object.fromEntries(new URLSearchParams(body));
    this.seen.push({ path: url.pathname, authorization: request.headers.authorization, form });
    if (url.pathname === '/register') {
      json({ ...(JSON.parse(body) as object), client_id: 'registered', client_id_issued_at: 1 }, 201);
      return;
    }
    if (url.pathname === '/authorize') {
      this.#authorize(url, response);
      return;
    }
    if (url.pathname === '/token') {
      json(...this.#token(form));
      return;
    }
    json({}, 404);
  }

  #metadata(): object {
    return {
      issuer: this.origin,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      registration_endpoint: `${this.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
    };
  }

  #authorize({ searchParams: params }: URL, response: ServerResponse): void {
    const code = randomUUID();
    const redirect = params.get('redirect_uri') ?? '';
    this.#codes.set(code, { challenge: params.get('code_challenge') ?? '', redirect });
    const location = new URL(redirect);
    location.searchParams.set('code', code);
    location.searchParams.set('state', params.get('state') ?? '');
    response.writeHead(302, { location: location.href }).end();
  }

  #token(form: Readonly<Record<string, string>>): [object, number] {
    if (form['grant_type'] === 'authorization_code') {
      const issued = this.#codes.get(form['code'] ?? '');
      const challenge = createHash('sha256')
        .update(form['code_verifier'] ?? '')
        .digest('base64url');
      if (issued?.challenge !== challenge || issued.redirect !== form['redirect_uri'])
        return [{ error: 'invalid_grant' }, 400];
    }
    const token = randomUUID();
    this.valid.add(token);
    const refresh = form['grant_type'] === 'client_credentials' ? {} : { refresh_token: `refresh-${token}` };
    return [{ access_token: token, token_type: 'Bearer', expires_in: this.expiresIn, ...refresh }, 200];
  }

  #guard(request: IncomingMessage, response: ServerResponse): void {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    if (token === undefined || !this.valid.has(token)) {
      request.resume();
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      return;
    }
    const { method, headers, url } = request;
    const onward = httpRequest({ ...target(this.#upstream), method, headers, path: url }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}

function target({ hostname, port }: URL): { hostname: string; port: string } {
  return { hostname, port };
}
