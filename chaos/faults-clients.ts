/** Scenarios in which clients are the trouble, or too many: those that do not read, those for whom there is no room. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { rssKb } from '../bench/proc.js';
import { type Entry, now } from './journal.js';
import { inWorld } from './faults-upstream.js';
import { judge, pause, type Scenario, until } from './scenario.js';
import { type World } from './world.js';

const SLOW = ['--slow', '10'] as const;

/** Bytes that may wait for one client, and those of one message, which may go past it. */
const CAP = 256 * 1024;
const MESSAGE = 64 * 1024;
/** What each sleeper is sent; the kernel takes a part of it. */
const NOTICES = 96;
/** What a session of Streamable HTTP keeps for a client that comes back for its stream. Bytes. */
const REPLAY = 2 * 1024 * 1024;
/** What memory may grow by beside: the messages that pass. Bytes. */
const GARBAGE = 128 * 1024 * 1024;
/** Until everybody has got what is waited for, on a slow machine. */
const WITHIN_MS = 240_000;

export const slowReaders: Scenario = {
  name: 'slow-readers',
  about: 'clients over each transport that ask for a lot and read nothing: bounded and cut off, the others served',
  run: (context) =>
    inWorld(context, async (world) => {
      await world.gateway({
        servers: { chaos: world.stdio(...SLOW), flood: world.stdio() },
        gateway: { listen: { maxBufferedBytes: CAP }, concurrency: { adaptive: false } },
      });
      await world.load('a');
      await until('calls under way', () => world.newResults().length > 0);
      const each = Math.ceil(context.size.readers / 3);
      const args = ['--url', world.base, '--tool', 'flood__echo', '--each', String(each)];
      world.fault('readers fall asleep');
      const before = rssKb(world.gatewayPid) * 1_024;
      const all = [...args, '--notices', String(NOTICES), '--pad', String(MESSAGE)];
      const asleep = world.program('sleepers', 'sleepers', all).waitFor('asleep', WITHIN_MS);
      const seen = await watched(world, 3 * each, asleep);
      const result = await judge(world);
      return { ...result, missed: slowMissed(3 * each, before, seen, result.verdict.errors) };
    }),
};

interface Watched {
  /** Readers that were cut off. */
  cut: number;
  /** Bytes that waited for one client, and of memory, at most. */
  unread: number;
  memory: number;
}

/** Until all are cut off, or everything that they are to be sent has been sent. */
async function watched(world: World, sleepers: number, asleep: Promise<unknown>): Promise<Watched> {
  const seen: Watched = { cut: 0, unread: 0, memory: 0 };
  const end = performance.now() + WITHIN_MS;
  const all = { asked: false, sent: false };
  void asleep.then(() => (all.asked = true));
  while (seen.cut < sleepers && !all.sent && performance.now() < end) {
    const { drops, upstreams } = await world.snapshot();
    all.sent = all.asked && upstreams.every(({ name, inFlight }) => name !== 'flood' || inFlight === 0);
    seen.cut = drops.find(({ reason }) => reason === 'slow_reader')?.count ?? 0;
    for (const { unread } of (await world.admin('connections')) as ConnectionSnapshot[])
      seen.unread = Math.max(seen.unread, unread);
    seen.memory = Math.max(seen.memory, rssKb(world.gatewayPid) * 1_024);
    await pause(20);
  }
  return seen;
}

function slowMissed(
  sleepers: number,
  before: number,
  { cut, unread, memory }: Watched,
  errors: ReadonlyMap<string, number>,
): string[] {
  const most = CAP + MESSAGE + 4_096;
  // What is held may be in memory once more as garbage before that is collected.
  const bound = 2 * (sleepers * most + (sleepers / 3) * REPLAY) + GARBAGE;
  const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`;
  return [
    ...(cut === sleepers ? [] : [`${cut} of ${sleepers} readers that did not read were cut off`]),
    ...(unread <= most ? [] : [`${unread} bytes waited for one client, ${CAP} may`]),
    ...(memory - before <= bound ? [] : [`memory grew by ${megabytes(memory - before)}, ${megabytes(bound)} may`]),
    ...(errors.size === 0 ? [] : ['calls of clients that read were answered with errors']),
  ];
}

/** Clients, a third of them over each transport. */
const CROWD = 12;
const POOL = { size: 2, overflow: 2, checkoutTimeout: 300, queue: 4 };

export const crowd: Scenario = {
  name: 'crowd',
  about:
    'more clients than a server may have sessions, each in need of one of its own: never more processes than allowed',
  run: (context) =>
    inWorld(context, async (world) => {
      const server = { ...(world.stdio(...SLOW) as object), viable: { sharing: 'session', pool: POOL } };
      await world.gateway({ servers: { chaos: server } });
      world.fault('a crowd comes');
      await world.load('a', '--sessions', String(CROWD / 3), '--outstanding', '2');
      let most = 0;
      const answers = new Map<string, number>();
      const crowded = (): boolean => {
        most = Math.max(most, childrenOf(world.gatewayPid, 'upstream.js'));
        for (const { nonce } of world.newAnswers()) {
          const client = nonce.split('-')[1] ?? '';
          answers.set(client, (answers.get(client) ?? 0) + 1);
        }
        return answers.size === CROWD && [...answers.values()].every((count) => count >= context.size.seconds);
      };
      await until('answers for all', crowded, WITHIN_MS);
      // One more: the session that is asked for the lists, which nobody else has.
      const allowed = POOL.size + POOL.overflow + 1;
      return judge(world, most <= allowed ? [] : [`${most} processes of a server that may have ${allowed}`]);
    }),
};

/** Living children of a process that run this program, from Linux's /proc. */
function childrenOf(parent: number, program: string): number {
  let many = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(ppid) !== parent || state === 'Z') continue;
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(program)) many += 1;
    } catch {
      // It ended in between.
    }
  }
  return many;
}

/** Calls that may reach a sick server: those under way when the breaker opens, and its probes. */
const REACH_IT = 60;
/** Calls that clients make of it, for each second of the run's size. */
const SICK_CALLS = 150;

export const sick: Scenario = {
  name: 'sick-upstream',
  about: 'a server that answers every call with an internal error: it is left alone, and found when it is well again',
  run: (context) =>
    inWorld(context, async (world) => {
      const sickness = join(world.folder, 'sick');
      const breaker = { openFor: 300, maxOpenFor: 600, flap: { suppress: 100 } };
      await world.gateway({
        servers: { chaos: world.stdio('--sick-while', sickness, ...SLOW) },
        gateway: { breaker },
      });
      await world.load('a');
      await until('calls under way', () => world.newResults().length > 0);
      writeFileSync(sickness, '');
      world.fault('sick');
      const from = now();
      let answered = 0;
      const enough = (): boolean => (answered += world.newAnswers().length) > context.size.seconds * SICK_CALLS;
      await until('answers from a sick server', enough, WITHIN_MS);
      const reached = world.upstreams().filter(ranSince(from)).length;
      rmSync(sickness);
      world.newResults();
      await until('a result from a server that is well again', () => world.newResults().length > 0);
      return judge(world, reached <= REACH_IT ? [] : [`${reached} calls reached a server that answered none`]);
    }),
};

function ranSince(from: number): (entry: Entry) => boolean {
  return (entry) => entry.e === 'ran' && entry.t >= from;
}
