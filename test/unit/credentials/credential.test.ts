import assert from 'node:assert/strict';
import { authorizedTransport } from '#src/credentials/authorized-transport.js';
import { UpstreamCredential } from '#src/credentials/credential.js';
import { OAuth } from '#src/credentials/oauth.js';
import { TokenStore } from '#src/credentials/token-store.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '#src/transports/outbound/transport.js';

const AUTH = {
  type: 'client_credentials',
  clientId: 'c',
  clientSecret: 's',
  tokenUrl: 'http://as.test/token',
  allowedHosts: [],
} as const;
const REFUSED: TransportError = { kind: 'unauthorized', status: 401, message: 'it answered 401' };

describe('upstream credential', () => {
  let now: number;
  let asked: number;
  let credential: UpstreamCredential;

  beforeEach(() => {
    now = 1_000_000;
    asked = 0;
    const fetch = (): Promise<Response> => {
      asked += 1;
      const body = { access_token: `t${asked}`, token_type: 'Bearer', expires_in: 600 };
      return Promise.resolve(new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } }));
    };
    const oauth = new OAuth('http://mcp.test/mcp', { ...AUTH, tokenUrl: 'https://as.test/token' }, fetch, () => now);
    const store = new TokenStore('/nowhere/credentials.json');
    credential = new UpstreamCredential({ server: 's', auth: AUTH, oauth, store, now: () => now });
  });

  it('is asked for once, however many wait, and again a minute before it ends, without anybody waiting', async () => {
    assert.equal(credential.authorization(), undefined);
    const [one, two] = await Promise.all([credential.ready(), credential.ready()]);
    assert.deepEqual([one, two, asked], [undefined, undefined, 1]);
    now += 545_000;
    assert.equal(credential.authorization(), 'Bearer t1');
    assert.equal(await credential.ready(), undefined);
    assert.deepEqual([credential.authorization(), asked], ['Bearer t2', 2]);
  });

  it('a token that the server refuses ends the session as forgotten, and the next one carries another; a fresh one does not', async () => {
    const told: [string, TransportError][] = [];
    let inner: OutboundHandlers | undefined;
    const handlers: OutboundHandlers = {
      onMessage: () => undefined,
      onRequestFailed: (_id, error) => void told.push(['failed', error]),
      onClosed: (error) => void told.push(['closed', error]),
      onDoubt: () => undefined,
      onStderr: () => undefined,
      onJunk: () => undefined,
    };
    const transport = authorizedTransport(credential, handlers, (wrapped) => {
      inner = wrapped;
      return { network: 'tcp', open: () => Promise.resolve(undefined) } as unknown as OutboundTransport;
    });
    assert.equal(await transport.open(new AbortController().signal), undefined);
    inner?.onRequestFailed(1, REFUSED);
    assert.deepEqual(
      told.map(([what, { kind }]) => [what, kind]),
      [['failed', 'unauthorized']],
    );
    now += 60_000;
    inner?.onRequestFailed(2, REFUSED);
    inner?.onClosed(REFUSED);
    assert.deepEqual(
      told.slice(1).map(([what, { kind, unsent }]) => [what, kind, unsent]),
      [
        ['failed', 'session_lost', true],
        ['closed', 'session_lost', true],
      ],
    );
    assert.equal(await credential.ready(), undefined);
    assert.equal(credential.authorization(), 'Bearer t2');
  });
});
