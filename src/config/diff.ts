/**
 * What changed between two configurations, so that a reload touches only what it must. Pure.
 *
 * Invariants: every server of either side is in exactly one of added, removed, changed, unchanged; the order of keys
 * or servers in the file is no change; an upstream outside `reconnect`, added and removed keeps its session.
 */
import { isDeepStrictEqual } from 'node:util';
import { metaOf, optionPaths, schemaAt } from './introspect.js';
import { formatPath, valueAt, withValueAt } from './path.js';
import { gatewaySchema } from './schema.js';
import type { Config, GatewayOptions, ServerConfig } from './types.js';

export interface ConfigDiff {
  /** Server names, in the order of the new configuration. */
  readonly added: readonly string[];
  /** In the order of the old one. */
  readonly removed: readonly string[];
  /** Any setting differs, its defaults from the `gateway` block included. */
  readonly changed: readonly string[];
  /** Those of `changed` that need a new process or connection; the rest take their new settings over in place. */
  readonly reconnect: readonly string[];
  readonly unchanged: readonly string[];
  /** Paths of options, as `gateway.requests.timeout`. */
  readonly gateway: {
    /** Take effect at once. */
    readonly applied: readonly string[];
    /** Wait for the next start. */
    readonly restart: readonly string[];
  };
}

export function diffConfig(old: Config, next: Config): ConfigDiff {
  const kept = [...next.servers.values()].flatMap((after) => {
    const before = old.servers.get(after.name);
    return before === undefined ? [] : [{ name: after.name, before, after }];
  });
  const changed = kept.filter(({ before, after }) => !isDeepStrictEqual(before, after));
  const same = kept.filter((pair) => !changed.includes(pair));
  return {
    added: [...next.servers.keys()].filter((name) => !old.servers.has(name)),
    removed: [...old.servers.keys()].filter((name) => !next.servers.has(name)),
    changed: changed.map(({ name }) => name),
    reconnect: changed.filter(({ before, after }) => needsNewSession(before, after)).map(({ name }) => name),
    unchanged: same.map(({ name }) => name),
    gateway: diffGateway(old.gateway, next.gateway),
  };
}

/** True when nothing has to be done. */
export function isEmptyDiff({ added, removed, changed, gateway }: ConfigDiff): boolean {
  return [added, removed, changed, gateway.applied, gateway.restart].every((list) => list.length === 0);
}

/** `next` as far as a running gateway takes it over: what waits for the next start stays as it is in `running`. */
export function withoutRestart(running: GatewayOptions, next: GatewayOptions): GatewayOptions {
  let options = next;
  for (const path of optionPaths(gatewaySchema))
    if (metaOf(schemaAt(gatewaySchema, path)).apply === 'restart')
      options = withValueAt(options, path, valueAt(running, path));
  return options;
}

function needsNewSession(before: ServerConfig, after: ServerConfig): boolean {
  return (
    before.disabled !== after.disabled ||
    before.era !== after.era ||
    before.maxMessageBytes !== after.maxMessageBytes ||
    !isDeepStrictEqual(before.auth, after.auth) ||
    !isDeepStrictEqual(before.target, after.target)
  );
}

function diffGateway(old: GatewayOptions, next: GatewayOptions): ConfigDiff['gateway'] {
  const applied: string[] = [];
  const restart: string[] = [];
  for (const path of optionPaths(gatewaySchema)) {
    const { apply } = metaOf(schemaAt(gatewaySchema, path));
    if (apply === undefined || isDeepStrictEqual(valueAt(old, path), valueAt(next, path))) continue;
    (apply === 'live' ? applied : restart).push(formatPath(['gateway', ...path]));
  }
  return { applied, restart };
}
