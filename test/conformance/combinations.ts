/**
 * What is run against what: the fixtures themselves, and the gateway in front of them.
 *
 * A combination is `<client era>-to-<upstream era>/<upstream transport>`, with `+3` when three more upstreams are
 * aggregated beside the fixture, and `+3/all` for the endpoint that serves all of them, where names have a prefix.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, type RunningServer, startGateway } from './gateway.js';
import { onLines } from '../support/lines.js';
import { type Revision, type Suite, type Verdict } from './suite.js';

export type Era = 'legacy' | 'modern';

export const ERAS: readonly Era[] = ['legacy', 'modern'];
export const REVISION: Readonly<Record<Era, Revision>> = { legacy: '2025-11-25', modern: '2026-07-28' };

const TRANSPORTS = ['stdio', 'http'] as const;
/** What the fixture is called behind the gateway. */
const UPSTREAM = 'fixture';
/** A scenario gives a call 600 ms for its first event, in which a slow machine cannot start a process. */
const WARM = { viable: { pool: { warm: 1 } } };

const EITHER = [
  'completion-complete',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'server-sse-multiple-streams',
  'resources-list',
  'resources-read-text',
  'resources-read-binary',
  'resources-templates-read',
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
  'dns-rebinding-protection',
  'json-schema-2020-12',
];
const MRTR = [
  'basic-elicitation',
  'basic-sampling',
  'basic-list-roots',
  'request-state',
  'multiple-input-requests',
  'multi-round',
  'missing-input-response',
  'non-tool-request',
  'result-type',
  'unsupported-methods',
  'tampered-state',
  'capability-check',
  'ignore-extra-params',
  'validate-input',
];

/** Scenarios of each revision: all that it requires, and those beyond it that are held to pass here too. */
export const SCENARIOS: Readonly<Record<Era, ReadonlySet<string>>> = {
  legacy: new Set([
    ...['server-initialize', 'logging-set-level', 'ping', ...EITHER],
    ...['tools-call-with-logging', 'tools-call-sampling', 'tools-call-elicitation', 'elicitation-sep1034-defaults'],
    ...['elicitation-sep1330-enums', 'resources-subscribe', 'resources-unsubscribe'],
    ...['server-session-lifecycle', 'server-sse-polling'],
  ]),
  modern: new Set([
    ...['server-stateless', ...EITHER, 'sep-2164-resource-not-found', 'caching'],
    ...MRTR.map((name) => `input-required-result-${name}`),
    ...['http-header-validation', 'http-custom-header-server-validation'],
  ]),
};

/** Scenarios that call nothing by name, so that they apply where names have a prefix. */
const NAMELESS = new Set([
  ...['server-initialize', 'logging-set-level', 'ping', 'tools-list', 'server-sse-multiple-streams', 'resources-list'],
  ...['resources-read-text', 'resources-read-binary', 'resources-templates-read', 'prompts-list'],
  ...['dns-rebinding-protection', 'resources-subscribe', 'resources-unsubscribe', 'server-session-lifecycle'],
  ...['sep-2164-resource-not-found', 'caching', 'input-required-result-unsupported-methods'],
  ...['http-header-validation', 'http-custom-header-server-validation'],
]);

export interface Combination {
  readonly name: string;
  readonly era: Era;
  /** After the URL of what its job started. */
  readonly route: string;
}

/** Combinations that share one running fixture or gateway. */
export interface Job {
  readonly combinations: readonly Combination[];
  readonly start: () => Promise<RunningServer>;
}

/** Whether a scenario of the suite says anything about a combination. */
export function applies(scenario: string, { era, route }: Combination): boolean {
  return SCENARIOS[era].has(scenario) && (route !== '/mcp' || NAMELESS.has(scenario));
}

export async function runCombination(
  suite: Suite,
  url: string,
  combination: Combination,
  only: readonly string[],
): Promise<Map<string, Verdict>> {
  const scenarios = [...SCENARIOS[combination.era]].filter((scenario) => applies(scenario, combination));
  const chosen = only.filter((scenario) => scenarios.includes(scenario));
  if (only.length > 0 && chosen.length === 0) return new Map();
  const found = await suite.run(`${url}${combination.route}`, REVISION[combination.era], chosen);
  const missing: Verdict = { passed: false, warnings: 0, reason: 'the suite did not run it' };
  const expected = only.length > 0 ? chosen : scenarios;
  return new Map(expected.map((scenario) => [scenario, found.get(scenario) ?? missing]));
}

const fixtureArgs = (era: Era, transport: string): string[] => [
  path.join(import.meta.dirname, `../fixtures/conformance/${era}.js`),
  ...['--transport', transport],
];

/** Starts a fixture on a free port. */
export async function startFixture(era: Era): Promise<RunningServer> {
  const child: ChildProcess = spawn(process.execPath, fixtureArgs(era, 'http'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const url = await new Promise<string>((resolve, reject) => {
    if (child.stdout !== null) onLines(child.stdout, (line) => resolve((JSON.parse(line) as { url: string }).url));
    child.once('close', () => reject(new Error(`the ${era} fixture did not start`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  return { url, stop };
}

/** How the gateway, or an SDK client, starts a fixture over stdio. */
export function stdioFixture(era: Era): { command: string; args: string[] } {
  return { command: process.execPath, args: fixtureArgs(era, 'stdio') };
}

/** Three servers as people have them. */
function neighbours(directory: string): Record<string, object> {
  const script = (name: string): string =>
    path.join(ROOT, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
  return {
    everything: { command: process.execPath, args: [script('everything'), 'stdio'] },
    filesystem: { command: process.execPath, args: [script('filesystem'), directory] },
    memory: {
      command: process.execPath,
      args: [script('memory')],
      env: { MEMORY_FILE_PATH: path.join(directory, 'memory.jsonl') },
    },
  };
}

async function startBehind(upstream: Era, transport: 'stdio' | 'http', more: boolean): Promise<RunningServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'viable-conformance-'));
  const fixture = transport === 'http' ? await startFixture(upstream) : undefined;
  const entry = fixture === undefined ? { ...stdioFixture(upstream), ...WARM } : { type: 'http', url: fixture.url };
  const gateway = await startGateway({ [UPSTREAM]: entry, ...(more && neighbours(directory)) });
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await fixture?.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: gateway.url, stop };
}

function behind(upstream: Era, transport: 'stdio' | 'http', more: boolean): Job {
  const combinations = ERAS.flatMap((era): Combination[] => {
    const name = `${era}-to-${upstream}/${transport}`;
    if (!more) return [{ name, era, route: `/mcp/s/${UPSTREAM}` }];
    return [
      { name: `${name}+3`, era, route: `/mcp/s/${UPSTREAM}` },
      { name: `${name}+3/all`, era, route: '/mcp' },
    ];
  });
  return { combinations, start: async () => await startBehind(upstream, transport, more) };
}

const direct = ERAS.map((era): Job => ({
  combinations: [{ name: `direct/${era}`, era, route: '' }],
  start: async () => await startFixture(era),
}));

export const jobs: readonly Job[] = [
  ...direct,
  ...[false, true].flatMap((more) =>
    TRANSPORTS.flatMap((transport) => ERAS.map((upstream) => behind(upstream, transport, more))),
  ),
];
