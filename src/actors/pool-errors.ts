/** What a client is told that gets no session of a pool. Pure. */
import { type ServerConfig } from '../config/types.js';
import { type Refusal } from '../machines/pool.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonRpcErrorObject } from '../protocol/jsonrpc.js';

export function refusalError({ name, pool }: Pick<ServerConfig, 'name' | 'pool'>, why: Refusal): JsonRpcErrorObject {
  const { checkoutTimeout, queue } = pool;
  const data = { server: name, retryAfter: Math.max(1, Math.ceil(checkoutTimeout / 1_000)) };
  switch (why) {
    case 'timeout':
      return gatewayError('pool_exhausted', `upstream "${name}": no session within ${checkoutTimeout} ms`, data);
    case 'queue_full':
      return gatewayError('pool_exhausted', `upstream "${name}": ${queue} clients wait for a session already`, data);
    case 'draining':
      return noSession(name, 'it takes no new work');
    case 'not_started':
      return noSession(name, 'its session could not be started');
  }
}

/** The call was not sent. */
export function noSession(name: string, why: string): JsonRpcErrorObject {
  return gatewayError('upstream_unavailable', `upstream "${name}": ${why}`, { server: name });
}
