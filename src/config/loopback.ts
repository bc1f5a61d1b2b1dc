/** Which listen addresses only this machine can reach. */
import net from 'node:net';

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** True for 127.0.0.0/8, ::1 and `localhost` (RFC 6761, 6.3). Any other name may resolve to anything, so it is not. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = net.isIP(bare);
  if (family !== 0) return loopback.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  return /^(?:[\w-]+\.)*localhost\.?$/.test(bare);
}
