/**
 * Protocol revisions of the legacy era (those with `initialize`) and what differs between them on the wire.
 *
 * Source: MCP specification, "Base Protocol › Lifecycle › Version Negotiation" and each revision's changelog. The
 * modern era (2026-07-28) has no negotiation by `initialize` and so never appears here.
 */

/** Oldest first. */
export const LEGACY_REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;
export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];

export const LATEST_LEGACY_REVISION = '2025-11-25' satisfies LegacyRevision;

/**
 * What an HTTP request without an `MCP-Protocol-Version` header speaks when nothing else tells (specification,
 * "Transports › Protocol Version Header").
 */
export const ASSUMED_REVISION = '2025-03-26' satisfies LegacyRevision;

export function isLegacyRevision(value: unknown): value is LegacyRevision {
  return (LEGACY_REVISIONS as readonly unknown[]).includes(value);
}

/** The version that `initialize` is answered with: the requested one where we speak it, else our latest. */
export function negotiateLegacy(requested: unknown): LegacyRevision {
  return isLegacyRevision(requested) ? requested : LATEST_LEGACY_REVISION;
}

/** True where a frame may be an array of messages. Batches came with 2025-03-26 and left with 2025-06-18. */
export function supportsBatch(version: LegacyRevision): boolean {
  return version === '2025-03-26';
}

/** True where clients must repeat the negotiated version as an HTTP header: since 2025-06-18. */
export function requiresVersionHeader(version: LegacyRevision): boolean {
  return version === '2025-06-18' || version === '2025-11-25';
}
