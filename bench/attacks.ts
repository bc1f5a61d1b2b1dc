/**
 * `npm run bench -- --only attacks`: how long the gateway's event loop is held up by each attack that costs it time, measured
 * within the gateway (`perf_hooks`, as `viable status` shows it), while honest clients call a tool beside it.
 *
 * A fresh gateway for each: what one attack leaves behind (sessions, streams) is not the next one's.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type AdminClient, connectAdmin } from '#src/admin/client.js';
import { JwtAuthenticator } from '#src/auth/jwt-authenticator.js';
import { type AttackFigures, NO_ATTACK } from './attack-figures.js';
import { ATTACKED_TOOL, ATTACKS, STILL_READERS } from './attack-list.js';
import { measure } from './calls.js';
import { type Children, type Program } from './children.js';
import { waitForTool } from './probe.js';
import { median } from './stats.js';
import { GATEWAY_MAIN, startDirect, type Target } from './targets.js';

export interface AttackOptions {
  /** Of what is judged by a ratio; the rest has one. */
  readonly rounds: number;
  readonly seconds: number;
  /** Ids of the attacks; `null`: all. */
  readonly only: readonly string[] | null;
  readonly progress: (text: string) => void;
}

interface Attacked {
  readonly target: Target;
  readonly admin: AdminClient;
  readonly token: string;
  stop(): Promise<void>;
}

const READY_MS = 20_000;
/** Honest clients. */
const CLIENTS = 4;
/** The attack is under way before the window opens. */
const WARMUP_SECONDS = 2;
const SAMPLE_MS = 1_000;
/** In which readers that sit still have asked for everything that they will ask for. Below the gateway's `stallTimeout`. */
const SETTLE_MS = 20_000;

export async function measureAttacks(children: Children, options: AttackOptions): Promise<AttackFigures[]> {
  const direct = await startDirect(children);
  const figures: AttackFigures[] = [];
  const wanted = ATTACKS.filter(({ id }) => options.only?.includes(id) ?? true);
  const alone = { id: NO_ATTACK, what: 'honest clients alone', still: undefined };
  // What is judged by a ratio has several rounds, in turn with the other side of the ratio.
  const compared = [alone, ...wanted.filter(({ id }) => id === STILL_READERS)];
  const rounds = compared.length === 1 ? [] : Array.from({ length: options.rounds - 1 }, () => compared).flat();
  for (const { id, what, still } of [...rounds, alone, ...wanted]) {
    const attacked = await startAttacked(children, direct.url);
    const measured = await withstand(children, attacked, id, still ?? 0, options.seconds);
    await attacked.stop();
    const figure = { attack: id, what, ...measured };
    figures.push(figure);
    options.progress(
      `${id}: loop delay p99 ${figure.delayMs.toFixed(1)} ms, worst second ${figure.worstDelayMs.toFixed(1)} ms, ` +
        `${Math.round(figure.callsPerSecond)} honest calls/s, ${figure.errors} refused, ` +
        `p50 ${figure.p50Ms.toFixed(2)} ms, p99 ${figure.p99Ms.toFixed(2)} ms; ${JSON.stringify(figure.answers)}` +
        (figure.unreadMb === null ? '' : `; ${Math.round(figure.unreadMb)} MB lie unread`),
    );
  }
  return [alone, ...wanted].map(({ id }) => middle(figures.filter(({ attack }) => attack === id)));
}

/** The round whose honest clients had the median of the median latencies. */
function middle(rounds: readonly AttackFigures[]): AttackFigures {
  const sorted = rounds.toSorted((a, b) => a.p50Ms - b.p50Ms);
  const found = sorted[Math.floor(sorted.length / 2)];
  if (found === undefined) throw new Error('no round');
  return found;
}

async function withstand(
  children: Children,
  { target, admin, token }: Attacked,
  id: string,
  still: number,
  seconds: number,
): Promise<Omit<AttackFigures, 'attack' | 'what'>> {
  const length = WARMUP_SECONDS + seconds + (still > 0 ? SETTLE_MS / 1_000 : 0);
  const attacker = id === NO_ATTACK ? null : startAttacker(children, id, target, token, length);
  if (still > 0) await settled(admin, still);
  const delays: number[] = [];
  const watching = await admin.watch(SAMPLE_MS, ({ process }) => delays.push(process.loopDelayP99 ?? Number.NaN));
  const done = await measure(
    children,
    { scenario: 'http', target },
    CLIENTS,
    { seconds, warmupSeconds: WARMUP_SECONDS },
    ['--token', token],
  );
  watching.cancel();
  const held = still === 0 ? null : await unread(admin);
  if (held !== null && held.readers < still)
    throw new Error(`${id}: only ${held.readers} of ${still} readers have something unread at the end`);
  const answers = attacker === null ? {} : (await attacker.waitFor('done', SETTLE_MS + READY_MS))['answers'];
  await attacker?.stop();
  // The first snapshot is of the second before the attack.
  const during = delays.slice(1).filter((delay) => !Number.isNaN(delay));
  return {
    delayMs: median(during),
    worstDelayMs: Math.max(...during),
    callsPerSecond: done.callsPerSecond,
    p50Ms: done.p50Ms,
    p99Ms: done.p99Ms,
    errors: done.errors,
    answers: answers as Readonly<Record<string, number>>,
    unreadMb: held === null ? null : held.bytes / 1_048_576,
  };
}

/** How many clients have something unread in the gateway, and how much. */
async function unread(admin: AdminClient): Promise<{ readers: number; bytes: number }> {
  const rows = await admin.request('connections');
  const slow = rows.filter((row) => row.unread > 0);
  return { readers: slow.length, bytes: slow.reduce((sum, row) => sum + row.unread, 0) };
}

/** Until so many readers have something unread, and no more comes to it. */
async function settled(admin: AdminClient, readers: number): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  let now = await unread(admin);
  for (let before = -1; now.readers < readers || now.bytes !== before; now = await unread(admin)) {
    if (performance.now() > end)
      throw new Error(`${now.readers} of ${readers} readers had something unread after ${SETTLE_MS} ms`);
    before = now.bytes;
    await setTimeout(SAMPLE_MS);
  }
}

function startAttacker(children: Children, id: string, target: Target, token: string, seconds: number): Program {
  const args = ['--attack', id, '--url', target.url, '--token', token, '--seconds', String(seconds)];
  return children.start(`attack ${id}`, 'attacker', args);
}

/** A gateway with rules and limits whose globs are worth an attack, and with limits that keep nothing of it out. */
async function startAttacked(children: Children, upstreamUrl: string): Promise<Attacked> {
  const folder = mkdtempSync(join(tmpdir(), 'viable-attacks-'));
  const secret = randomBytes(48).toString('base64url');
  const plenty = 1_000_000;
  const slow = `${'*a'.repeat(12)}*!`;
  const config = {
    mcpServers: { bench: { type: 'http', url: upstreamUrl } },
    gateway: {
      auth: { mode: 'optional', secrets: [{ kid: 'bench', secret }] },
      limits: {
        roles: { admin: plenty, premium: plenty, user: plenty, guest: plenty },
        burst: 10,
        failedLogins: plenty,
        tools: { [slow]: plenty },
      },
      policy: {
        rules: [
          { effect: 'deny', tools: [slow] },
          { effect: 'deny', resources: [`file:///${slow}`] },
        ],
      },
    },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const socket = join(folder, 'admin.sock');
  const args = ['--config', join(folder, 'config.json'), '--port', '0', '--no-dashboard', '--log-level', 'warn'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(VIABLE_|JWT_|OTEL_)/.test(key)));
  const program = children.keep('gateway', [GATEWAY_MAIN, ...args, '--admin-socket', socket], env);
  const ready = await program.waitFor('ready', READY_MS);
  const url = `${new URL(String(ready['url'])).origin}/mcp`;
  await waitForTool(url, ATTACKED_TOOL, READY_MS);
  const admin = await connectAdmin(socket);
  const token = await new JwtAuthenticator({ secrets: [{ kid: 'bench', secret }] }).generateToken('bench', {
    role: 'premium',
  });
  return {
    target: { name: 'gateway', url, tool: ATTACKED_TOOL, program },
    admin,
    token,
    stop: async () => {
      admin.close();
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
