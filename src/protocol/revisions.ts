/**
 * Protocol revisions: those of the legacy era, with `initialize`, and what differs between them on the wire; those of
 * the modern era, where every request names its revision.
 *
 * Source: MCP specification, "Base Protocol › Lifecycle › Version Negotiation" and each revision's changelog;
 * 2026-07-28, "Versioning and Compatibility". `initialize` never negotiates a modern revision.
 */

/** Oldest first. */
export const LEGACY_REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;
export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];

export const LATEST_LEGACY_REVISION = '2025-11-25' satisfies LegacyRevision;

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

/** Newest first: the order of preference, in which they are advertised and chosen. */
export const MODERN_REVISIONS = ['2026-07-28'] as const;
export type ModernRevision = (typeof MODERN_REVISIONS)[number];

export const MODERN_REVISION = '2026-07-28' satisfies ModernRevision;

export function isModernRevision(value: unknown): value is ModernRevision {
  return (MODERN_REVISIONS as readonly unknown[]).includes(value);
}

/** True for the name of a modern revision, also of one that the gateway does not speak. */
export function namesModernEra(version: string): boolean {
  return version >= MODERN_REVISION && /^\d{4}-\d{2}-\d{2}$/.test(version);
}

/** The newest modern revision that both sides speak. */
export function mutualModernRevision(offered: readonly unknown[]): ModernRevision | undefined {
  return MODERN_REVISIONS.find((revision) => offered.includes(revision));
}
