/**
 * `fetch` for addresses that somebody else wrote: authorization servers name them in their metadata, and a hostile one
 * names what only the gateway can reach. Against server-side request forgery (MCP specification, "Security Best Practices
 * › SSRF"; RFC 6890, RFC 9728 section 7.7).
 *
 * Origins that the operator has configured are trusted. Every other address must be https and public; names are looked up
 * once, and the connection goes to the address that was checked, so a second answer of the DNS is never asked for.
 */
import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, fetch as undiciFetch } from 'undici';

const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** An address that must not be connected to. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
}

export interface GuardedFetchOptions {
  /** Origins (`https://auth.example`) that may be anywhere, by http too. */
  readonly trusted: ReadonlySet<string>;
  /** Default: the system's. */
  readonly lookup?: LookupFunction;
}

export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>;

export function guardedFetch({ trusted, lookup = dnsLookup }: GuardedFetchOptions): FetchLike {
  const open = new Agent({ connect: { timeout: TIMEOUT_MS } });
  const guarded = new Agent({ connect: { timeout: TIMEOUT_MS, lookup: publicOnly(lookup) } });
  return async (url, init = {}) => {
    let target = new URL(url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const known = trusted.has(target.origin);
      if (!known) checkTarget(target);
      const answer = await undiciFetch(target, {
        ...(init as object),
        redirect: 'manual',
        dispatcher: known ? open : guarded,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const location = answer.headers.get('location');
      const redirected = answer.status >= 300 && answer.status < 400 && location !== null;
      if (!redirected) return whole(answer);
      await answer.body?.cancel();
      // A POST carries a secret or a code: it goes where it was sent, or nowhere.
      if ((init.method ?? 'GET') !== 'GET')
        throw new ForbiddenAddressError(`${target.origin} redirects a request that holds a secret`);
      target = new URL(location, target);
    }
    throw new ForbiddenAddressError(`more than ${MAX_REDIRECTS} redirects from ${new URL(url).origin}`);
  };
}

function checkTarget({ protocol, hostname, origin }: URL): void {
  if (protocol !== 'https:') throw new ForbiddenAddressError(`${origin} is neither https nor configured`);
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 && !isPublic(address)) throw new ForbiddenAddressError(`${origin} is no public address`);
}

/** A lookup that fails when any address is not public; what it answers is what is connected to. */
function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 4);
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }];
      const bad = addresses.find(({ address }) => !isPublic(address));
      if (bad || addresses.length === 0)
        return callback(new ForbiddenAddressError(`${hostname} leads to no public address`), '', 4);
      const [first] = addresses;
      if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}

const FORBIDDEN = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  FORBIDDEN.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  FORBIDDEN.addSubnet(net, prefix, 'ipv6');

/** Whether an IP address is one of the public internet. IPv4-mapped ones count as their IPv4 address. */
export function isPublic(address: string): boolean {
  const [plain = ''] = address.split('%');
  const family = isIP(plain);
  return family !== 0 && !FORBIDDEN.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

/** Reads the body up to a bound. */
async function whole(answer: Awaited<ReturnType<typeof undiciFetch>>): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (bytes > MAX_BODY_BYTES) throw new ForbiddenAddressError('the answer is larger than 1 MiB');
    chunks.push(chunk as Uint8Array);
  }
  const empty = answer.status === 204 || answer.status === 304;
  return new Response(empty ? null : Buffer.concat(chunks), {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
  });
}
