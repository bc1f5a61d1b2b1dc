/**
 * The kernel alone, in a process of its own: messages through cells, spawning, and how long an alarm waits behind a
 * hundred thousand messages. Started with --expose-gc, because the size of an actor is counted in live bytes.
 *
 *   node --expose-gc dist-test/bench/kernel.js [--scale 1]
 */
import { parseArgs } from 'node:util';
import {
  actor,
  actorName,
  ActorSystem,
  partitioned,
  supervisor,
  type ActorContext,
  type ActorName,
  type Behavior,
  type Ref,
} from '#src/kernel/index.js';
import { type KernelFigures, type Rate } from './kernel-figures.js';
import { announce, exitWithParent } from './lifeline.js';
import { quantile } from './stats.js';

const BURST = 4_096;
const PRODUCERS = 100;
const EACH = 40;
const ACTORS = 20_000;
const QUEUED = 100_000;

const NAMES = {
  sink: actorName<number>('/sink'),
  alarmed: actorName<number>('/alarmed'),
  left: actorName<number>('/left'),
  right: actorName<number>('/right'),
};

/** What the actors do next; each measurement puts its own function here. */
type Handler = (message: number, context: ActorContext<number>) => void;
const handlers = new Map<string, Handler>();

function scripted(id: string, normal: number) {
  return actor<number>({
    id,
    mailbox: { normal },
    init: (context): Behavior<number> => ({ handle: (message) => handlers.get(id)?.(message, context) }),
  });
}

async function boot(): Promise<ActorSystem> {
  const system = new ActorSystem();
  const children = [
    scripted('sink', 2 * BURST),
    scripted('left', 16),
    scripted('right', 16),
    scripted('alarmed', QUEUED + 16),
    partitioned({
      id: 'many',
      intensity: { max: 1, withinMs: 1_000 },
      partitionIntensity: { max: 1, withinMs: 1_000 },
    }),
  ];
  await system.boot(
    supervisor({ id: 'root', strategy: 'one_for_one', intensity: { max: 0, withinMs: 1_000 }, children }),
  );
  return system;
}

function refOf(system: ActorSystem, name: ActorName<number>): Ref<number> {
  const ref = system.whereis(name);
  if (ref === undefined) throw new Error(`${name.path} does not run`);
  return ref;
}

function insist(result: string): void {
  if (result !== 'ok') throw new Error(`a message was refused: ${result}`);
}

/** Runs `start`, which calls its argument when `messages` have been handled. */
async function rate(messages: number, start: (done: () => void) => void): Promise<Rate> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  await new Promise<void>((resolve) => start(resolve));
  const wallUs = (performance.now() - since) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMps: messages / wallUs, cpuMps: messages / (user + system) };
}

/** Bursts told to one cell: the next burst when the last message of one has been handled. */
function tellLoop(system: ActorSystem, bursts: number): Promise<Rate> {
  const sink = refOf(system, NAMES.sink);
  return rate(bursts * BURST, (done) => {
    let left = bursts;
    const burst = (): void => {
      for (let i = 1; i <= BURST; i += 1) insist(sink.tell(i));
    };
    handlers.set('sink', (message) => {
      if (message !== BURST) return;
      left -= 1;
      if (left === 0) done();
      else burst();
    });
    burst();
  });
}

/** One message between two cells: each is a turn of the event loop's. */
function pingPong(system: ActorSystem, messages: number): Promise<Rate> {
  const left = refOf(system, NAMES.left);
  const right = refOf(system, NAMES.right);
  return rate(messages, (done) => {
    handlers.set('left', (n) => {
      if (n >= messages) done();
      else insist(right.tell(n + 1));
    });
    handlers.set('right', (n) => {
      if (n >= messages) done();
      else insist(left.tell(n + 1));
    });
    insist(left.tell(1));
  });
}

/** A hundred cells tell one. Counted: what arrives. */
function fanIn(system: ActorSystem, rounds: number): Promise<Rate> {
  const sink = refOf(system, NAMES.sink);
  const produce: Handler = () => {
    for (let i = 0; i < EACH; i += 1) insist(sink.tell(i));
  };
  const producers = Array.from({ length: PRODUCERS }, (_, i) => {
    handlers.set(`producer-${i}`, produce);
    return spawn(system, `producer-${i}`);
  });
  return rate(rounds * PRODUCERS * EACH, (done) => {
    let left = rounds;
    let arrived = 0;
    handlers.set('sink', () => {
      arrived += 1;
      if (arrived < PRODUCERS * EACH) return;
      arrived = 0;
      left -= 1;
      if (left === 0) done();
      else for (const producer of producers) insist(producer.tell(0));
    });
    for (const producer of producers) insist(producer.tell(0));
  });
}

function spawn(system: ActorSystem, id: string): Ref<number> {
  const started = system.startChild<number>('/many', { ...scripted(id, 64), restart: 'temporary' });
  if (!started.ok) throw new Error(`${id} did not start: ${started.why}`);
  return started.ref;
}

function collected(): { heap: number; rss: number } {
  if (globalThis.gc === undefined) throw new Error('start me with --expose-gc');
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

/** Supervised actors, none of which has got a message yet. */
function spawnMany(
  system: ActorSystem,
): Pick<KernelFigures, 'spawnsPerSecond' | 'heapBytesPerActor' | 'rssBytesPerActor'> {
  const before = collected();
  const since = performance.now();
  for (let i = 0; i < ACTORS; i += 1) spawn(system, `actor-${i}`);
  const seconds = (performance.now() - since) / 1000;
  const after = collected();
  return {
    spawnsPerSecond: ACTORS / seconds,
    heapBytesPerActor: (after.heap - before.heap) / ACTORS,
    rssBytesPerActor: (after.rss - before.rss) / ACTORS,
  };
}

/**
 * The cell always has 100,000 normal messages: each handled one is told again. An alarm comes from a timer, as from
 * outside, and the next one after it was handled.
 */
async function alarms(
  system: ActorSystem,
  samples: number,
): Promise<Pick<KernelFigures, 'alarmP50Ms' | 'alarmP99Ms' | 'alarmMaxMs'>> {
  const alarmed = refOf(system, NAMES.alarmed);
  const waits: number[] = [];
  await new Promise<void>((resolve) => {
    let sentAt = 0;
    const raise = (): void => {
      sentAt = performance.now();
      insist(alarmed.urgent(1));
    };
    handlers.set('alarmed', (message) => {
      if (message === 0) {
        if (waits.length < samples) insist(alarmed.tell(0));
        return;
      }
      waits.push(performance.now() - sentAt);
      if (waits.length < samples) setTimeout(raise, 1);
      else resolve();
    });
    for (let i = 0; i < QUEUED; i += 1) insist(alarmed.tell(0));
    setTimeout(raise, 1);
  });
  waits.sort((a, b) => a - b);
  return { alarmP50Ms: quantile(waits, 0.5), alarmP99Ms: quantile(waits, 0.99), alarmMaxMs: quantile(waits, 1) };
}

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);

exitWithParent();
const system = await boot();
// The first runs warm the code up.
await tellLoop(system, 50);
await pingPong(system, 10_000);
const tell = await tellLoop(system, Math.ceil(500 * scale));
const pong = await pingPong(system, Math.ceil(300_000 * scale));
const alarm = await alarms(system, Math.ceil(2_000 * scale));
const fan = await fanIn(system, Math.ceil(250 * scale));
const figures: KernelFigures = { tell, pingPong: pong, fanIn: fan, ...alarm, ...spawnMany(system) };
announce({ event: 'done', ...figures });
process.exit(0);
