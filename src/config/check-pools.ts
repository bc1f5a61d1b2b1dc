/**
 * What the schema cannot say about pools: options that contradict each other. Works on the raw document, like
 * `check-server.ts`.
 */
import { isRecord, valueAt, type Path } from './path.js';
import type { Finding } from './problems.js';
import { gatewaySchema } from './schema.js';

/** Problems: every shared session is one of the pool's `size`. */
export function checkPools(root: Readonly<Record<string, unknown>>): Finding[] {
  const common = valueAt(root, ['gateway', 'pool']);
  const findings = checkPool(common, {}, ['gateway', 'pool']);
  for (const key of ['mcpServers', 'servers']) {
    const servers = root[key];
    if (!isRecord(servers)) continue;
    for (const name of Object.keys(servers)) {
      const at = [key, name, 'viable', 'pool'];
      findings.push(...checkPool(valueAt(root, at), common, at));
    }
  }
  return findings;
}

function checkPool(pool: unknown, common: unknown, at: Path): Finding[] {
  if (!isRecord(pool)) return [];
  const { pool: defaults } = gatewaySchema.parse({});
  const [size, shared] = (['size', 'shared'] as const).map(
    (key) => pool[key] ?? (isRecord(common) ? common[key] : undefined) ?? defaults[key],
  );
  if (typeof size !== 'number' || typeof shared !== 'number' || shared <= size) return [];
  const key = pool['shared'] === undefined ? 'size' : 'shared';
  const message = `\`shared\` (${shared}) is more than \`size\` (${size}), of which it is a part`;
  return [{ path: [...at, key], message, suggestion: 'make `size` larger' }];
}
