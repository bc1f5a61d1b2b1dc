/** Tokens as the gateway under test makes and takes them, and the way to a gateway that asks for them. */
import { JwtAuthenticator, type TokenOptions } from '#src/auth/jwt-authenticator.js';
import { secretId } from '#src/config/resolve-auth.js';
import { type Gateway, startGateway } from '../gateway.js';
import { FixtureHub } from '../hub.js';
import { settings } from '../settings.js';

export const SECRET = 'a secret of the tests, long enough to be one';

export const signer = new JwtAuthenticator({ secrets: [{ kid: secretId(SECRET), secret: SECRET }] });

export async function tokenFor(subject: string, options: TokenOptions = {}): Promise<string> {
  return await signer.generateToken(subject, options);
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** A token that was not signed: what an attacker can write without a key. */
export function unsigned(header: object, claims: object, signature = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

export type Blocks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A gateway that asks for tokens, with one good upstream. Registers the hooks of the suite that it is called in. */
export function lockedGateway(
  blocks: Blocks = {},
  env: Readonly<Record<string, string>> = { JWT_SECRET: SECRET },
): { gateway: Gateway } {
  const world = {} as { gateway: Gateway; hub: FixtureHub };
  before(async () => {
    world.hub = await FixtureHub.start();
    const mcpServers = { good: world.hub.stdio('sdk-server', 'good') };
    world.gateway = await startGateway({ config: { mcpServers, gateway: settings(blocks) }, env });
    await world.gateway.waitForUpstream('good', ({ state }) => state === 'ready', 'ready');
  });
  after(async () => {
    await world.gateway.stop();
    await world.hub.close();
  });
  return world;
}
