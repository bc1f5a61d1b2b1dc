/** `gateway.pool`, and the same options as `viable.pool` of one server: its sessions, and who waits for one. */
import { z } from 'zod';
import { block, count, LIVE, time } from './parts.js';

const options = {
  size: count('Sessions with one server that stay when they are not in use.'),
  shared: count(
    'How many of `size` are shared by clients that need none of their own; a call goes to the one with the fewest in flight.',
    1,
    64,
  ),
  overflow: count('Sessions beyond `size` while it is not enough; each ends when it is given back.', 0),
  warm: count('Sessions that are started before anybody wants them, so that the first client need not wait.', 0, 1000),
  checkoutTimeout: time('The longest wait for a session; then a request is answered `pool_exhausted`.'),
  queue: count('Clients that wait for a session at a time; the next is answered `pool_exhausted` at once.', 0),
  idleCheck: time('Sessions that are not in use are pinged this often; one that does not answer is replaced.', 100),
  idleTimeout: time('A session that nobody has used for this long ends, unless it was never used.', 100),
  maxLifetime: time('A session that is older ends when it is given back.', 1000),
};

export const pool = block(LIVE, 'Sessions with one upstream server; each is a process or a connection.', {
  size: options.size.default(10),
  shared: options.shared.default(1),
  overflow: options.overflow.default(90),
  warm: options.warm.default(0),
  checkoutTimeout: options.checkoutTimeout.default(5000),
  queue: options.queue.default(100),
  idleCheck: options.idleCheck.default(30_000),
  idleTimeout: options.idleTimeout.default(300_000),
  maxLifetime: options.maxLifetime.default(3_600_000),
});

export const serverPool = z.strictObject(options).partial().describe('In place of `gateway.pool`, option by option.');

/** Of one server, defaults filled in. */
export type PoolOptions = Readonly<Record<keyof typeof options, number>>;
