/** The deployments of docs/operations.md name options, variables, paths and times that the product has. */
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { PROCESS_OPTIONS } from '#src/config/options.js';
import { gatewaySchema } from '#src/config/schema.js';
import { parseRoute } from '#src/protocol/routes.js';
import { readProject } from './markdown.js';

const PAGE = readProject('docs/operations.md');

function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text = '']) => text);
}

describe('docs/operations', () => {
  it('systemd: a unit in sections of assignments, with flags and variables of the gateway', () => {
    const units = blocks('ini');
    assert.equal(units.length, 2);
    const flags = new Set<string>(Object.values(PROCESS_OPTIONS).map(({ flag }) => flag));
    const variables = new Set<string>(Object.values(PROCESS_OPTIONS).map(({ env }) => env));
    for (const unit of units) {
      for (const line of unit.trimEnd().split('\n'))
        assert.match(line, /^(?:|\[(?:Unit|Service|Install)\]|[A-Z][A-Za-z]+=.+)$/);
      for (const [, command = ''] of unit.matchAll(/node dist\/main\.js([^&\n']*)/g))
        for (const [flag] of command.matchAll(/--[a-z-]+/g)) assert.ok(flags.has(flag), flag);
      for (const [, name = ''] of unit.matchAll(/^Environment=(\w+)=/gm)) assert.ok(variables.has(name), name);
    }
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(units[0] ?? '')?.[1]);
    assert.ok(stop * 1_000 > gatewaySchema.parse({}).draining.defaultTimeout, 'systemd would cut the drain short');
  });

  it('Kubernetes: YAML whose probes ask paths that there are, and whose grace is longer than the drain', () => {
    const [text = ''] = blocks('yaml');
    const pod = parse(text) as Record<'readinessProbe' | 'livenessProbe', { exec: { command: string[] } }> & {
      terminationGracePeriodSeconds: number;
    };
    const asked = (probe: 'readinessProbe' | 'livenessProbe'): string => {
      const url = /http:\/\/127\.0\.0\.1:\d+(\/[a-z]+)/.exec(pod[probe].exec.command.join(' '));
      return parseRoute(url?.[1] ?? '').kind;
    };
    assert.deepEqual([asked('readinessProbe'), asked('livenessProbe')], ['ready', 'health']);
    const lameDuck = Number(/`gateway\.draining\.lameDuck: (\d+)`/.exec(PAGE)?.[1]);
    const { defaultTimeout } = gatewaySchema.parse({}).draining;
    assert.ok(pod.terminationGracePeriodSeconds * 1_000 > lameDuck + defaultTimeout);
  });

  it('nginx: braces and semicolons are there, and every location is a route', () => {
    const [text = ''] = blocks('nginx');
    const bare = text.replaceAll(/#.*$/gm, '').trim();
    assert.equal([...bare.matchAll(/\{/g)].length, [...bare.matchAll(/\}/g)].length);
    for (const line of bare.split('\n')) assert.match(line.trim(), /^(?:|.*[;{}])$/);
    for (const [, location = ''] of bare.matchAll(/^location (\S+) \{/gm))
      assert.notEqual(parseRoute(location).kind, 'unknown', location);
    assert.match(bare, /proxy_buffering off;/);
  });
});
