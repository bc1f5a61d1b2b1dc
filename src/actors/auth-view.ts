/** What consoles see of authentication, put together from plain memory. */
import { type AuthSnapshot } from '../admin/snapshot/auth.js';
import { type AuthPlane } from '../auth/auth-plane.js';

export function authSnapshot(auth: AuthPlane): AuthSnapshot {
  const { hits, misses, cached } = auth.authenticator;
  const { accepted, refused, limited, tickets } = auth.counters;
  return {
    mode: auth.mode,
    tokens: {
      cached,
      hits,
      misses,
      hitRatio: hits + misses === 0 ? null : hits / (hits + misses),
      accepted,
      revoked: auth.revocations.size,
    },
    refused: [...refused].map(([reason, count]) => ({ reason, count })),
    limited: [...limited].map(([limit, count]) => ({ limit, count })),
    limitKeys: auth.limits.size,
    tickets: { issued: tickets, open: auth.tickets.size },
    issuers: auth.remote.map(({ issuer, state }) => ({ issuer, ...state })),
  };
}
