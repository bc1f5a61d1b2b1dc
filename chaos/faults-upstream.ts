/** Scenarios that break upstreams: killed, stopped, cut off by the network, out of their minds. */
import { FaultProxy } from '../test/support/fault-proxy.js';
import { type Context, judge, pause, type Result, type Scenario, until } from './scenario.js';
import { type UpstreamTransport, type World } from './world.js';

/** No wait before a lost upstream is tried again, and no breaker: what is measured is the gateway, not its patience. */
const AT_ONCE = { upstreams: { backoffBase: 1, backoffMax: 10 }, breaker: { enabled: false } };
/** Milliseconds that the upstream takes for a call, so that there is always something in flight. */
const SLOW = ['--slow', '10'] as const;
/** Kill to first result, 99 % of them. Milliseconds. */
const RECOVERY_BAR = 250;

export function kills(over: UpstreamTransport): Scenario {
  return {
    name: `kill-${over}`,
    about: `SIGKILL of the upstream over ${over}, again and again`,
    run: (context) => inWorld(context, (world) => killing(world, context, over)),
  };
}

async function killing(world: World, { size, random, progress }: Context, over: UpstreamTransport): Promise<Result> {
  const network = over === 'stdio' ? null : await world.network(over, ...SLOW);
  const entry = network ? { type: over, url: urlOf(over, network.port) } : world.stdio(...SLOW);
  await world.gateway({ servers: { chaos: entry }, gateway: AT_ONCE });
  await world.load('a', '--sessions', '1');
  await world.load('b', '--sessions', '1');
  let living = await aliveAfter(world, 0);
  for (let kill = 0; kill < size.kills; kill += 1) {
    await pause(random() * 60);
    for (const { by } of world.newResults()) living = by ?? living;
    if (network) {
      // How long the upstream itself takes to come back is not the gateway's: the clock starts when it listens again.
      await network.kill();
      world.fault('kill', living);
    } else {
      world.fault('kill', living);
      process.kill(living, 'SIGKILL');
    }
    living = await aliveAfter(world, living);
    if (kill % 100 === 99) progress(`${kill + 1} kills`);
  }
  const result = await judge(world);
  const late = quantileOf(result.recoveries, 0.99);
  const missed =
    late < RECOVERY_BAR || !size.timed
      ? []
      : [`p99 of kill to first result is ${late.toFixed(0)} ms, not ${RECOVERY_BAR}`];
  return { ...result, missed };
}

/** The process that answers once `killed` does not. */
async function aliveAfter(world: World, killed: number): Promise<number> {
  let next = 0;
  const answers = (): boolean => {
    for (const { by = 0 } of world.newResults()) if (by !== killed) next = by;
    return next !== 0;
  };
  await until('a result from a new process', answers, world.patience);
  return next;
}

export const stops: Scenario = {
  name: 'stop-stdio',
  about: 'SIGSTOP of a stdio upstream: shorter and longer than a call may take, then SIGCONT',
  run: (context) =>
    inWorld(context, async (world) => {
      const gateway = { ...AT_ONCE, requests: { timeout: 600 } };
      await world.gateway({ servers: { chaos: world.stdio(...SLOW) }, gateway });
      await world.load('a');
      const pid = await aliveAfter(world, 0);
      for (let stop = 0; stop < context.size.seconds; stop += 1) {
        await pause(context.random() * 200);
        world.fault('stop');
        process.kill(pid, 'SIGSTOP');
        await pause(stop % 2 === 0 ? 250 : 900);
        process.kill(pid, 'SIGCONT');
        await aliveAfter(world, 0);
      }
      return judge(world);
    }),
};

export function network(over: 'http' | 'sse' | 'ws'): Scenario {
  return {
    name: `network-${over}`,
    about: `resets, half-closes, slices of 7 bytes and 20 ms of delay between the gateway and its upstream over ${over}`,
    run: (context) =>
      inWorld(context, async (world) => {
        const upstream = await world.network(over, ...SLOW);
        const proxy = await FaultProxy.start(upstream.port);
        try {
          await world.gateway({ servers: { chaos: { type: over, url: urlOf(over, proxy.port) } }, gateway: AT_ONCE });
          await world.load('a');
          await weather(world, proxy, context);
          return await judge(world);
        } finally {
          await proxy.stop();
        }
      }),
  };
}

async function weather(world: World, proxy: FaultProxy, { size, random }: Context): Promise<void> {
  const end = performance.now() + size.seconds * 1_000;
  while (performance.now() < end) {
    const kind = Math.floor(random() * 4);
    world.fault(['reset', 'half-close', 'slices', 'delay'][kind] ?? '');
    if (kind === 0) proxy.resetAll();
    else if (kind === 1) proxy.halfCloseAll();
    else proxy.weather = kind === 2 ? { slice: 7 } : { delay: 20 };
    await pause(50 + random() * 150);
    proxy.weather = {};
    await aliveAfter(world, 0);
  }
}

export function garbage(over: 'stdio' | 'ws'): Scenario {
  return {
    name: `garbage-${over}`,
    about: `an upstream over ${over} that writes what is no message, answers twice and under ids that nobody used`,
    run: (context) =>
      inWorld(context, async (world) => {
        const mad = over === 'stdio' ? null : await world.network(over, '--garbage', ...SLOW);
        const entry = mad ? { type: over, url: urlOf(over, mad.port) } : world.stdio('--garbage', ...SLOW);
        await world.gateway({ servers: { mad: entry, sane: world.stdio(...SLOW) }, gateway: AT_ONCE });
        world.fault('garbage');
        await world.load('a', '--tools', 'mad__echo,sane__echo');
        await pause(context.size.seconds * 500);
        return judge(world);
      }),
  };
}

export function urlOf(over: UpstreamTransport, port: number): string {
  return over === 'ws' ? `ws://127.0.0.1:${port}/` : `http://127.0.0.1:${port}/${over === 'sse' ? 'sse' : 'mcp'}`;
}

export async function inWorld(context: Context, scene: (world: World) => Promise<Result>): Promise<Result> {
  const world = context.newWorld();
  try {
    return await scene(world);
  } finally {
    await world.stop();
  }
}

function quantileOf(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
