/** The machine: Node.js, its clock, its file descriptors. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import type { Config } from '../config/index.js';
import { fail, ok, warning, type Finding } from './check.js';

/** `engines.node` of package.json: `>=20.19.0`. */
export function nodeFinding(version: string, engines: string): Finding {
  const [least = 0, minor = 0] = numbers(engines);
  const [have = 0, haveMinor = 0] = numbers(version);
  if (have > least || (have === least && haveMinor >= minor)) return ok(`Node.js ${version}`);
  return fail(`Node.js ${version} is too old`, `install Node.js ${least}.${minor} or newer`);
}

function numbers(version: string): number[] {
  return [...version.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

/** A server's clock, as its `Date` header tells it. */
export interface ForeignClock {
  readonly host: string;
  /** How far theirs goes ahead of ours, milliseconds. The header has whole seconds. */
  readonly aheadMs: number;
}

/** Tokens are taken for valid with a leeway of a minute at most: beyond that logins fail. */
const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 60_000;

/** @param builtAt when this program's own files were written, epoch milliseconds */
export function clockFinding(now: number, builtAt: number, foreign: readonly ForeignClock[]): Finding {
  const advice = 'set the clock, and keep it right with NTP (`timedatectl set-ntp true`)';
  if (now < builtAt - 86_400_000)
    return fail(`the clock says ${day(now)}, before this program was built (${day(builtAt)})`, advice);
  // One wrong server is that server's trouble: ours is judged by the one that is nearest.
  const [nearest] = [...foreign].sort((a, b) => Math.abs(a.aheadMs) - Math.abs(b.aheadMs));
  if (nearest === undefined) return ok(`${new Date(now).toISOString()}; no server to compare it with`);
  const off = Math.abs(nearest.aheadMs);
  const words = `${Math.round(off / 1_000)} s ${nearest.aheadMs > 0 ? 'behind' : 'ahead of'} ${nearest.host}`;
  if (off >= SKEW_FAIL_MS) return fail(`the clock is ${words}: tokens will be refused`, advice);
  if (off >= SKEW_WARN_MS) return warning(`the clock is ${words}`, advice);
  return ok(`within ${SKEW_WARN_MS / 1_000} s of ${foreign.map(({ host }) => host).join(', ')}`);
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** `undefined` when the server does not answer or sends no date. Any status will do. */
export async function foreignClock(url: string, signal: AbortSignal): Promise<ForeignClock | undefined> {
  try {
    const asked = Date.now();
    const { headers, body } = await request(url, { method: 'HEAD', signal });
    await body.dump();
    const theirs = Date.parse(String(headers['date']));
    if (Number.isNaN(theirs)) return undefined;
    // The header is cut to whole seconds: half of one is the best guess for the rest.
    return { host: new URL(url).host, aheadMs: theirs + 500 - (asked + Date.now()) / 2 };
  } catch {
    return undefined;
  }
}

/** Descriptors beside sockets: the log, files, pipes of Node.js itself. */
const RESERVE = 64;
/** Of a stdio session: its three pipes, and the gate that it starts behind. */
const STDIO_DESCRIPTORS = 4;

/** @param limit soft limit of open files; `undefined`: none */
export function descriptorFinding(limit: number | undefined, config: Config): Finding {
  const { maxConnections } = config.gateway.listen;
  const upstream = [...config.servers.values()]
    .filter(({ disabled }) => !disabled)
    .reduce(
      (sum, { target, pool }) =>
        sum + (pool.size + pool.overflow) * (target.transport === 'stdio' ? STDIO_DESCRIPTORS : 1),
      0,
    );
  const needed = maxConnections + upstream + RESERVE;
  if (limit === undefined) return ok('no limit of open files');
  if (limit >= needed) return ok(`${limit} open files allowed, ${needed} needed at most`);
  return warning(
    `${limit} open files are allowed; ${maxConnections} connections and the upstreams may need ${needed}`,
    `raise it (\`ulimit -n ${needed}\`, LimitNOFILE=${needed} in systemd), or lower gateway.listen.maxConnections`,
  );
}

/** Soft limit of open files of a process, of this one without `pid`. Node.js raises its own to the hard one when it starts. */
export async function descriptorLimit(pid: number | 'self'): Promise<number | undefined> {
  const text = process.platform === 'linux' ? await limitsOf(pid) : ulimit();
  const soft = Number(text);
  return Number.isInteger(soft) ? soft : undefined;
}

async function limitsOf(pid: number | 'self'): Promise<string | undefined> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  return /^Max open files\s+(\S+)/m.exec(limits)?.[1];
}

/** The shell inherits the limit of this process. */
function ulimit(): string {
  return spawnSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
}
