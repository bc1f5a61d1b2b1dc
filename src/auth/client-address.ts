/**
 * Whose address a request comes from, and how it was reached, when proxies stand before the gateway: their headers count
 * only as far as the proxies that wrote them are trusted. Source: proxy-addr; RFC 7239.
 */
import { isIP, isIPv6 } from 'node:net';
import { type IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

export class ClientAddresses {
  readonly #trust: ((address: string, index: number) => boolean) | null;

  constructor(trustedProxies: readonly string[]) {
    this.#trust = trustedProxies.length === 0 ? null : proxyAddr.compile([...trustedProxies]);
  }

  /** The client's address as limits count it: an IPv6 client has a whole /64 to itself. */
  of(req: IncomingMessage): string {
    const direct = req.socket.remoteAddress ?? '?';
    if (this.#trust === null || req.headers['x-forwarded-for'] === undefined) return counted(direct);
    const named = proxyAddr(req, this.#trust);
    // A name or a port in its place is nobody's: the proxy that passed it on is counted.
    return counted(isIP(named) === 0 ? direct : named);
  }

  /** `https` where the client spoke TLS, to us or to a trusted proxy. */
  scheme(req: IncomingMessage): 'http' | 'https' {
    if ('encrypted' in req.socket && req.socket.encrypted === true) return 'https';
    const said = req.headers['x-forwarded-proto'];
    const trusted = this.#trust?.(req.socket.remoteAddress ?? '', 0) === true;
    return trusted && typeof said === 'string' && said.split(',')[0]?.trim() === 'https' ? 'https' : 'http';
  }
}

function counted(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
