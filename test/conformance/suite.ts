/**
 * The official MCP conformance suite: installed on first use, run as a child process, its verdicts read from its files.
 *
 * It is kept out of the project's dependencies because it needs a newer Node.js than the gateway supports; on an older
 * one, a Node.js of its own is installed beside it. Both live in `node_modules/.cache`, which git and npm leave alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './gateway.js';

const SUITE = '@modelcontextprotocol/conformance';
const SUITE_VERSION = '0.2.0-alpha.12';
/** The first major version of Node.js that the suite runs on. */
const NODE_MAJOR = 22;
const NODE = `node-${process.platform}-${process.arch}`;
const NODE_VERSION = '24.9.0';
const CACHE = path.join(ROOT, 'node_modules/.cache/viable-conformance');
/** Milliseconds for one scenario. The slowest that passes takes 5 s. */
const SCENARIO_TIMEOUT = 8_000;

export type Revision = '2025-11-25' | '2026-07-28';

export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly errorMessage?: string;
}

/** `passed` as the suite itself counts: a success and no failure; warnings do not count. */
export interface Verdict {
  readonly passed: boolean;
  readonly warnings: number;
  /** What its failed checks say, one a line; without any, those that did not succeed. */
  readonly reason: string;
}

export class Suite {
  readonly #node: string;

  private constructor(node: string) {
    this.#node = node;
  }

  /** Installs what is missing. */
  static async open(): Promise<Suite> {
    const own = Number.parseInt(process.versions.node, 10) >= NODE_MAJOR;
    const wanted = new Map([[SUITE, SUITE_VERSION], ...(own ? [] : [[NODE, NODE_VERSION] as const])]);
    const installed = await Promise.all(
      [...wanted].map(async ([name, version]) => (await versionOf(name)) === version),
    );
    if (installed.includes(false)) await install([...wanted].map(([name, version]) => `${name}@${version}`));
    return new Suite(own ? process.execPath : path.join(CACHE, 'node_modules', NODE, 'bin/node'));
  }

  /** Runs the scenarios that a revision requires, or only those named, against a server. */
  async run(url: string, revision: Revision, only: readonly string[] = []): Promise<Map<string, Verdict>> {
    const output = await mkdtemp(path.join(tmpdir(), 'viable-conformance-'));
    try {
      const base = ['--url', url, '--timeout', String(SCENARIO_TIMEOUT), '-o', output];
      if (only.length === 0) await this.#server([...base, '--requirements', revision]);
      for (const scenario of only) {
        await this.#server([...base, '--scenario', scenario, '--spec-version', revision]);
      }
      return await verdicts(output);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  }

  async #server(args: readonly string[]): Promise<void> {
    const script = path.join(CACHE, 'node_modules', SUITE, 'dist/index.js');
    const child = spawn(this.#node, [script, 'server', ...args], { stdio: 'ignore' });
    await once(child, 'close');
  }
}

async function versionOf(name: string): Promise<string | undefined> {
  try {
    const manifest = await readFile(path.join(CACHE, 'node_modules', name, 'package.json'), 'utf8');
    // The packages of Node.js write theirs with a `v`.
    return (JSON.parse(manifest) as { version?: string }).version?.replace(/^v/, '');
  } catch {
    return undefined;
  }
}

async function install(packages: readonly string[]): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  await writeFile(path.join(CACHE, 'package.json'), '{"private":true}\n');
  const args = [
    'install',
    '--prefix',
    CACHE,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--save-exact',
    ...packages,
  ];
  const npm = spawn('npm', args, { stdio: ['ignore', 2, 2] });
  const [code] = (await once(npm, 'close')) as [number | null];
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed (${code})`);
}

/** The suite writes `server-<scenario>-<time>/checks.json`. */
async function verdicts(directory: string): Promise<Map<string, Verdict>> {
  const found = new Map<string, Verdict>();
  for (const folder of await readdir(directory)) {
    const scenario = /^server-(.+?)-\d{4}-\d\d-\d\dT/.exec(folder)?.[1];
    const file = path.join(directory, folder, 'checks.json');
    // A scenario that threw left no file.
    if (scenario === undefined || !existsSync(file)) continue;
    const checks = JSON.parse(await readFile(file, 'utf8')) as Check[];
    found.set(scenario, verdict(checks));
  }
  return found;
}

export function verdict(checks: readonly Check[]): Verdict {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const failures = checks.filter(({ status }) => status === 'FAILURE');
  const told = failures.length > 0 ? failures : checks.filter(({ status }) => status !== 'SUCCESS');
  const reasons = told.map(({ id, status, errorMessage = status }) => `${id}: ${errorMessage.split('\n', 1)[0] ?? ''}`);
  return {
    passed: failures.length === 0 && count('SUCCESS') > 0,
    warnings: count('WARNING'),
    reason: [...new Set(reasons)].join('\n') || 'no check succeeded',
  };
}
