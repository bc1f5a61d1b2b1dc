/** Gateway settings that several tests share: small pages, short waits, so that nothing waits for a default. */

/** Page size of the lists that clients see. Small, so that 5,000 tools take many pages. */
export const PAGE_SIZE = 250;

/** Largest message that the gateway under test takes from a client, in bytes. */
export const MAX_BODY = 256 * 1024;

type Block = Readonly<Record<string, unknown>>;

/** The `gateway` block of tests; `over` replaces options within its blocks. */
export function settings(over: Readonly<Record<string, Block>> = {}): Record<string, Block> {
  const base: Record<string, Block> = {
    listen: { maxBodyBytes: MAX_BODY },
    catalogue: { pageSize: PAGE_SIZE, listChangedDebounce: 10 },
    upstreams: { backoffBase: 50, backoffMax: 200, shutdownGrace: 300 },
    draining: { defaultTimeout: 5_000 },
    logging: { level: 'debug' },
  };
  for (const [name, block] of Object.entries(over)) base[name] = { ...base[name], ...block };
  return base;
}
