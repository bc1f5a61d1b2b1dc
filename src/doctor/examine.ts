/**
 * All checks of `viable doctor`, in the order in which a gateway would trip over them.
 *
 * What is asked over a network is asked at once and told in order. A check that breaks is a failed check, never the end.
 */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { demoConfig, loadConfig, parseProcessOptions, type Config, type ConfigProblem } from '../config/index.js';
import { formatOf, readSource } from '../config/source.js';
import { fail, ok, warning, type ExamineOptions, type Finding, type Observer } from './check.js';
import { auditFindings } from './files.js';
import { portFinding, runningGateway, socketFinding, socketPathOf, tlsFindings } from './listener.js';
import { clockFinding, descriptorFinding, descriptorLimit, foreignClock, nodeFinding } from './machine.js';
import { secretFindings } from './secrets.js';
import { collectorFindings, issuerFinding } from './services.js';
import { upstreamFinding } from './upstreams.js';

interface Step {
  readonly subject: string;
  readonly findings: Promise<readonly Finding[]>;
}

const MANIFEST = new URL('../../package.json', import.meta.url);

export async function examine(options: ExamineOptions, env: NodeJS.ProcessEnv, observer: Observer): Promise<void> {
  await tell(
    step('node', () => [nodeFinding(process.versions.node, engines())]),
    observer,
  );
  observer.begin('configuration');
  const loaded = await load(options, env);
  for (const finding of loaded.findings) observer.found({ subject: 'configuration', ...finding });
  const { config } = loaded;
  if (config === undefined) {
    await tell(
      step('clock', () => [clockFinding(Date.now(), builtAt(), [])]),
      observer,
    );
    return;
  }
  const steps = await stepsFor(config, loaded.document, options, env);
  for (const each of steps) await tell(each, observer);
}

interface Loaded {
  readonly findings: readonly Finding[];
  readonly config?: Config;
  /** As written. */
  readonly document?: unknown;
}

async function load({ config: named }: ExamineOptions, env: NodeJS.ProcessEnv): Promise<Loaded> {
  const parsed = parseProcessOptions(named === undefined ? [] : ['--config', named], env);
  if (!parsed.ok) return { findings: [fail(parsed.text, 'correct the VIABLE_… variable')] };
  const { config: file, overrides } = parsed.options;
  const result = file === undefined ? await demoConfig({ env, overrides }) : await loadConfig({ file, env, overrides });
  const said = (problems: readonly ConfigProblem[], as: typeof fail): Finding[] =>
    problems.map((problem) => {
      const place = problem.line === undefined ? '' : ` (line ${problem.line})`;
      return as(
        `${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${place}`,
        problem.suggestion ?? `correct ${file ?? 'it'}`,
      );
    });
  if (!result.ok) return { findings: said(result.problems, fail) };
  const count = result.config.servers.size;
  const name = file ?? 'the built-in demo';
  return {
    findings: [ok(`${name}: ${count} ${count === 1 ? 'upstream' : 'upstreams'}`), ...said(result.warnings, warning)],
    config: result.config,
    document: file === undefined ? undefined : await documentOf(file),
  };
}

async function documentOf(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  return readSource(text, formatOf(file, text)).value;
}

async function stepsFor(
  config: Config,
  document: unknown,
  { timeoutMs, start }: ExamineOptions,
  env: NodeJS.ProcessEnv,
): Promise<readonly Step[]> {
  const { gateway, servers } = config;
  const path = socketPathOf(gateway, env);
  const running = await runningGateway(path, timeoutMs);
  const upstreams = [...servers.values()];
  return [
    step('port', async () => [await portFinding(gateway.listen, running)]),
    step('certificate', () => tlsFindings(gateway, Date.now())),
    step('admin socket', async () => [await socketFinding(path, running)]),
    step('secrets', () => secretFindings(config, document, env)),
    step('audit log', () => auditFindings(config)),
    step('open files', async () => [descriptorFinding(await descriptorLimit(running?.pid ?? 'self'), config)]),
    ...upstreams.map((server) =>
      step(`upstream ${server.name}`, async () => [await upstreamFinding(server, { env, timeoutMs, start })]),
    ),
    ...gateway.auth.issuers.map((issuer) =>
      step(`issuer ${issuer.issuer}`, async () => [
        await issuerFinding(issuer, gateway.auth.publicKeyRefresh, timeoutMs),
      ]),
    ),
    step('collector', () => collectorFindings(config, env, timeoutMs)),
    step('clock', async () => {
      const clocks = await Promise.all(
        addresses(config).map((url) => foreignClock(url, AbortSignal.timeout(timeoutMs))),
      );
      return [
        clockFinding(
          Date.now(),
          builtAt(),
          clocks.filter((clock) => clock !== undefined),
        ),
      ];
    }),
  ];
}

/** Of the servers whose clocks can be seen: one address a host. */
function addresses({ servers, gateway }: Config): readonly string[] {
  const urls = [
    ...gateway.auth.issuers.map(({ issuer, jwksUri }) => jwksUri ?? issuer),
    ...[...servers.values()].flatMap(({ target, disabled }) =>
      target.transport === 'stdio' || disabled ? [] : [target.url.replace(/^ws/, 'http')],
    ),
  ];
  const byHost = new Map(urls.filter((url) => URL.canParse(url)).map((url) => [new URL(url).host, url]));
  return [...byHost.values()];
}

function step(subject: string, look: () => readonly Finding[] | Promise<readonly Finding[]>): Step {
  const findings = (async () => await look())().catch((error: unknown): readonly Finding[] => [
    fail(
      `this could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
      'this is a defect of `viable doctor`; everything else was looked at',
    ),
  ]);
  return { subject, findings };
}

async function tell({ subject, findings }: Step, observer: Observer): Promise<void> {
  observer.begin(subject);
  for (const finding of await findings) observer.found({ subject, ...finding });
}

function engines(): string {
  const { engines: wanted } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { engines: { node: string } };
  return wanted.node;
}

function builtAt(): number {
  return statSync(new URL(import.meta.url)).mtimeMs;
}
