/** What of the gateway's options a server replaces with its own. Pure. */
import type { ServerEntry } from './schema.js';
import type { BreakerSettings, DeepReadonly, GatewayOptions } from './types.js';

type Own<K extends keyof ServerEntry['viable']> = DeepReadonly<ServerEntry['viable'][K]>;

/** The gateway's settings of breakers with the server's own in their place. */
export function breakerOf({ breaker }: GatewayOptions, own: Own<'breaker'>): BreakerSettings {
  if (own === undefined) return breaker;
  const { failures = {}, ...rest } = own;
  return { ...breaker, ...given(rest), failures: { ...breaker.failures, ...given(failures) } };
}

/** Without the keys that are there but not set: they must not take the place of anything. */
export function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
