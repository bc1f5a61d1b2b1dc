/** The values of a configuration that no log line may show, whoever writes it. Pure. */
import { type Config } from './types.js';

/** Shorter values are words that occur by chance. */
const MIN_LENGTH = 8;
const NAMED_LIKE_ONE = /authorization|cookie|token|secret|passw|credential|key/i;

export function secretsOf({ gateway, servers }: Config): readonly string[] {
  const found = gateway.auth.secrets.map(({ secret }) => secret);
  found.push(...[gateway.audit.key, gateway.requestState.secret].filter((value) => typeof value === 'string'));
  for (const { target, auth } of servers.values()) {
    const named = target.transport === 'stdio' ? target.env : target.headers;
    for (const [name, value] of Object.entries(named))
      if (NAMED_LIKE_ONE.test(name)) found.push(value, value.replace(/^(?:Bearer|Basic) /i, ''));
    if (auth?.clientSecret !== undefined) found.push(auth.clientSecret);
  }
  // The longest first: one may be part of another.
  return [...new Set(found)].filter(({ length }) => length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
}
