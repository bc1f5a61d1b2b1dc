/** Scenarios that break the gateway itself: its actors, its consoles, its descriptors, its life. */
import { connect, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type SupervisionNode } from '#src/admin/protocol.js';
import { AdminConnection } from '../test/support/admin.js';
import { inWorld } from './faults-upstream.js';
import { type Context, judge, pause, type Result, type Scenario, until } from './scenario.js';
import { type Answered } from './journal.js';
import { type World } from './world.js';

const SLOW = ['--slow', '10'] as const;
/** Those who are not told over a stream keep calling until then, or until they are closed. Milliseconds. */
const TERM_DEADLINE_MS = 4_000;
const UNDER_WAY_MS = 1_000;
/** What a connection may take to be opened, on a slow machine. Milliseconds. */
const CONNECT_MS = 30;
/** Whose calls are to be under way. */
const TERM_LOAD = ['a-http', 'a-sse', 'a-websocket'];

export const actors: Scenario = {
  name: 'kill-actors',
  about: 'a random actor killed every 100 ms, under the restart limits that ship',
  run: (context) =>
    inWorld(context, async (world) => {
      await world.gateway({ servers: { chaos: world.stdio(...SLOW), other: world.stdio(...SLOW) } });
      // Many clients, as there are in life: most actors are connections, and so are most of those that are hit.
      await world.load('a', '--sessions', '12', '--outstanding', '2', '--tools', 'chaos__echo,other__echo');
      await killActors(world, context);
      const missed = world.gatewayLives ? [] : ['the gateway ended: its restart limits were exceeded'];
      return judge(world, missed);
    }),
};

async function killActors(world: World, { size, random }: Context): Promise<void> {
  const end = performance.now() + size.seconds * 1_000;
  while (performance.now() < end && world.gatewayLives) {
    await pause(100);
    const admin = await AdminConnection.open(world.adminSocket).catch(() => null);
    if (admin === null) continue; // the admin endpoint is one of the actors
    try {
      const all = actorsOf((await admin.request('tree')) as SupervisionNode);
      const victim = all[Math.floor(random() * all.length)];
      if (victim === undefined) continue;
      await admin.request('kill', { actor: victim });
      world.fault(`kill ${victim}`);
    } catch {
      // It ended by itself in between, or it was the one that was to answer.
    } finally {
      admin.close();
    }
  }
}

function actorsOf(node: SupervisionNode): string[] {
  return [...(node.kind === 'actor' ? [node.path] : []), ...node.children.flatMap(actorsOf)];
}

export const terms: Scenario = {
  name: 'sigterm',
  about: 'SIGTERM at a random moment: what was sent before it is answered, and what was begun is finished',
  async run(context) {
    const results: Result[] = [];
    for (let term = 0; term < context.size.terms; term += 1) {
      results.push(await inWorld(context, (world) => terminated(world, context, term % 2 === 1)));
      if (term % 10 === 9) context.progress(`${term + 1} gateways stopped`);
    }
    return sum(results);
  },
};

/** @param talker whether there are clients who go on asking whatever they are told: the drain uses its time up */
async function terminated(world: World, { random }: Context, talker: boolean): Promise<Result> {
  const gateway = { draining: { defaultTimeout: TERM_DEADLINE_MS } };
  await world.gateway({ servers: { chaos: world.stdio('--slow', '40') }, gateway });
  await world.load('a', '--heed', '--sessions', '4');
  if (talker) await world.load('b', '--transports', 'http,websocket', '--sessions', '1', '--outstanding', '8');
  const expected = talker ? [...TERM_LOAD, 'b-http', 'b-websocket'] : TERM_LOAD;
  const seen: Answered[] = [];
  const heard = (prefix: string): boolean => seen.some(({ nonce }) => nonce.startsWith(prefix));
  await until('calls of all under way', () => seen.push(...world.newResults()) > 0 && expected.every(heard));
  await pause(random() * 100);
  const at = performance.timeOrigin + performance.now();
  world.fault('SIGTERM');
  world.signal('SIGTERM');
  await world.gatewayEnd();
  const result = await judge(world);
  const before = new Map(world.clients().flatMap((entry) => (entry.e === 'sent' ? [[entry.nonce, entry.t]] : [])));
  const open = world
    .clients()
    .flatMap((entry) => (entry.e === 'cut' && (before.get(entry.nonce) ?? Infinity) < at - 50 ? [entry.nonce] : []));
  const { unanswered, wasted } = result.verdict;
  const late = newcomersOf(world);
  return {
    ...result,
    missed: [
      ...some(wasted, 'ran and were answered with an error'),
      ...some(open, 'sent before SIGTERM were cut'),
      ...some(unanswered, 'ran and were not answered'),
      ...(late === 0 ? [] : [`${late} sessions were opened while it drained`]),
    ],
  };
}

/** Sessions that were opened although clients had been told of the drain; one that was under way may still come through. */
function newcomersOf(world: World): number {
  const told = Math.min(...world.clients().flatMap((entry) => (entry.e === 'noticed' ? [entry.t] : [])));
  return world.clients().filter((entry) => entry.e === 'opened' && entry.t > told + UNDER_WAY_MS).length;
}

/** A bar that calls have missed, with some of them; none when none has. */
function some(nonces: readonly string[], how: string): string[] {
  return nonces.length === 0 ? [] : [`${nonces.length} calls ${how} (${nonces.slice(0, 3).join(', ')})`];
}

function sum(results: readonly Result[]): Result {
  const verdicts = results.map(({ verdict }) => verdict);
  const errors = new Map<string, number>();
  for (const verdict of verdicts)
    for (const [reason, count] of verdict.errors) errors.set(reason, (errors.get(reason) ?? 0) + count);
  const total = (pick: (verdict: Result['verdict']) => number): number =>
    verdicts.reduce((all, verdict) => all + pick(verdict), 0);
  return {
    verdict: {
      sent: total(({ sent }) => sent),
      ok: total(({ ok }) => ok),
      errors,
      cut: total(({ cut }) => cut),
      lost: verdicts.flatMap(({ lost }) => lost),
      duplicate: verdicts.flatMap(({ duplicate }) => duplicate),
      foreign: verdicts.flatMap(({ foreign }) => foreign),
      twice: verdicts.flatMap(({ twice }) => twice),
      phantom: verdicts.flatMap(({ phantom }) => phantom),
      unanswered: verdicts.flatMap(({ unanswered }) => unanswered),
      wasted: verdicts.flatMap(({ wasted }) => wasted),
    },
    faults: results.reduce((all, { faults }) => all + faults, 0),
    recoveries: results.flatMap(({ recoveries }) => recoveries),
    memorySlope: null,
    missed: results.flatMap(({ missed }) => missed),
  };
}

export const consoles: Scenario = {
  name: 'kill-dashboard',
  about: 'a terminal dashboard killed while it draws, again and again',
  run: (context) =>
    inWorld(context, async (world) => {
      await world.gateway({ servers: { chaos: world.stdio(...SLOW) } });
      await world.load('a');
      for (let round = 0; round < context.size.seconds; round += 1) {
        const child = spawn(process.execPath, [world.cli, 'top', '--json', '--socket', world.adminSocket], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        await once(child.stdout, 'data');
        world.fault('kill dashboard');
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      return judge(world);
    }),
};

/** As many as the gateway needs to start, for its modules are read at once, and not many more. */
const DESCRIPTORS = 400;

export const descriptors: Scenario = {
  name: 'descriptors',
  about:
    'all file descriptors taken by idle sockets: those who are served are served on, and newcomers come in afterwards',
  run: (context) =>
    inWorld(context, async (world) => {
      await world.gateway({ servers: { chaos: world.stdio(...SLOW) }, limit: `ulimit -n ${DESCRIPTORS}` });
      await world.load('a', '--sessions', '1', '--outstanding', '2');
      await until('calls under way', () => world.newResults().length > 0);
      world.fault('descriptors exhausted');
      const idle = Array.from({ length: 2 * DESCRIPTORS }, () => hold(world.base));
      await pause(500);
      world.newResults();
      await until('results while no descriptor is left', () => world.newResults().length > 0);
      for (const socket of idle) socket.destroy();
      await world.load('b', '--sessions', '1');
      let fresh = 0;
      await until('results for newcomers', () => (fresh += world.newResults().filter(isOf('b')).length) > 0);
      return judge(world);
    }),
};

function isOf(name: string): (entry: { readonly nonce: string }) => boolean {
  return ({ nonce }) => nonce.startsWith(`${name}-`);
}

function hold(base: string): Socket {
  const { hostname, port } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => socket.destroy());
  return socket;
}

export const mass: Scenario = {
  name: 'drain-many',
  about: 'many mixed connections drained at once: inside the deadline, and told different times to come back',
  run: (context) =>
    inWorld(context, async (world) => {
      const deadline = 30_000;
      await world.gateway({
        servers: { chaos: world.stdio(...SLOW) },
        gateway: { draining: { defaultTimeout: deadline, notificationInterval: 1_000 } },
      });
      const { connections } = context.size;
      const args = ['--sessions', String(Math.ceil(connections / 2 / 4)), '--outstanding', '0', '--heed'];
      // Idle streams and sockets, in processes of a few hundred each; a few that work.
      for (const name of ['a', 'b', 'c', 'd']) await world.load(name, ...args, '--transports', 'sse,websocket');
      const within = 20_000 + connections * CONNECT_MS;
      await world.until('all connected', (snapshot) => snapshot.connections.total >= connections, within);
      context.progress(`${connections} connections are open`);
      await world.load('e', '--sessions', '4', '--heed');
      let seen = 0;
      await until('calls under way', () => (seen += world.newResults().length) > 20);
      world.fault('SIGTERM');
      const begun = performance.now();
      world.signal('SIGTERM');
      await world.gatewayEnd();
      const took = performance.now() - begun;
      context.progress(`drained in ${(took / 1_000).toFixed(1)} s`);
      const result = await judge(world);
      return { ...result, missed: drainMissed(world, connections, took, deadline, result) };
    }),
};

function drainMissed(world: World, connections: number, took: number, deadline: number, result: Result): string[] {
  const notices = world.clients().filter((entry) => entry.e === 'noticed');
  const times = new Set(notices.map(({ reconnectAfter }) => Math.round(reconnectAfter)));
  const { unanswered } = result.verdict;
  return [
    ...(took <= deadline ? [] : [`the drain took ${took.toFixed(0)} ms, its deadline was ${deadline}`]),
    ...(notices.length >= connections ? [] : [`${notices.length} notices for ${connections} connections`]),
    ...(times.size > connections / 20 ? [] : [`only ${times.size} different times to come back`]),
    ...(unanswered.length === 0 ? [] : [`${unanswered.length} calls ran and were not answered`]),
  ];
}
