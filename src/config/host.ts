/** Listen addresses: which are well formed, and which only this machine can reach. */
import net from 'node:net';

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** An IP address (IPv6 in brackets or not) or a host name; no port, no scheme. */
export function isHost(text: string): boolean {
  return net.isIP(withoutBrackets(text)) !== 0 || /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/.test(text);
}

/** True for 127.0.0.0/8, ::1 and `localhost` (RFC 6761, 6.3). Any other name may resolve to anything, so it is not. */
export function isLoopbackHost(host: string): boolean {
  const bare = withoutBrackets(host).toLowerCase();
  const family = net.isIP(bare);
  if (family !== 0) return loopback.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  return /^(?:[\w-]+\.)*localhost\.?$/.test(bare);
}

/** An address, a subnet, or the word for all loopback addresses, as `trustedProxies` names them. */
export function isProxy(text: string): boolean {
  if (text === 'loopback') return true;
  const [address = '', bits] = text.split('/');
  const family = net.isIP(address);
  if (family === 0 || text.split('/').length > 2) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** `[::1]` as sockets want it: `::1`. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
