/**
 * How long it takes from a cause to S5's decision, and to what a dashboard reads, while both are flooded: their normal lanes
 * are full all the time, other actors pass messages as fast as they can, and readings of a thousand other signals come in.
 *
 *   node dist-test/bench/alarms.js [--alarms 2000]
 */
import { parseArgs } from 'node:util';
import { DataPlane } from '#src/actors/data-plane.js';
import { ALGEDONIC, POLICY } from '#src/actors/names.js';
import { vsmSnapshot } from '#src/actors/viability-view.js';
import { resolveDocument } from '#src/config/resolve.js';
import { actor, actorName, ActorSystem, type ChildSpec, type Ref, supervisor } from '#src/kernel/index.js';
import { Counters } from '#src/telemetry/counters.js';
import { createLog } from '#src/telemetry/logger.js';
import { algedonic } from '#src/vsm/actors/algedonic.js';
import { AlgedonicLine } from '#src/vsm/actors/algedonic-line.js';
import { type AlgedonicMessage, type PolicyMessage } from '#src/vsm/actors/messages.js';
import { policy } from '#src/vsm/actors/policy.js';
import { type AlarmFigures } from './alarm-figures.js';
import { announce, exitWithParent } from './lifeline.js';
import { quantile } from './stats.js';

const FLOOD = 1_000;
const OTHER_SIGNALS = 1_000;

const PING = actorName<number>('/flood/ping');
const PONG = actorName<number>('/flood/pong');

interface World {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
}

async function boot(): Promise<World> {
  const modes = [{ when: 'bench/*', severity: 'critical', mode: 'conserve' }];
  const loaded = resolveDocument(
    { gateway: { vsm: { policy: { modes, calm: 1 } } } },
    { file: null, baseDir: '/', env: {}, overrides: {} },
  );
  if (!loaded.ok) throw new Error('the settings of the benchmark do not load');
  const plane = new DataPlane(loaded.config.gateway, new Counters());
  const system = new ActorSystem();
  const { log } = createLog('silent', false);
  const state = plane.viability;
  const line = new AlgedonicLine(system, ALGEDONIC, state);
  plane.algedonic = line;
  const sink = { send: () => undefined, close: () => undefined };
  const branch = (id: string, children: readonly ChildSpec[]): ChildSpec =>
    supervisor({ id, strategy: 'one_for_one', intensity: { max: 1, withinMs: 1_000 }, children });
  /** Each message is answered with another: the event loop is never idle. */
  const echo = (id: string, to: typeof PING): ChildSpec =>
    actor<number>({ id, init: () => ({ handle: (n) => void system.tell(to, n + 1) }) });
  await system.boot(
    branch('root', [
      branch('viability', [
        actor({ id: 'policy', init: policy({ system, plane, state, log }) }),
        actor({ id: 'algedonic', init: algedonic({ system, plane, state, line, log, sink }) }),
      ]),
      branch('flood', [echo('ping', PONG), echo('pong', PING)]),
    ]),
  );
  return { system, plane };
}

function refOf<M>(system: ActorSystem, name: { readonly path: string }): Ref<M> {
  const ref = system.whereis(actorName<M>(name.path));
  if (!ref) throw new Error(`${name.path} does not run`);
  return ref;
}

/** Fills both normal lanes up again, and lets other signals come in. */
function flood({ system, plane }: World): void {
  const s5 = refOf<PolicyMessage>(system, POLICY);
  const channel = refOf<AlgedonicMessage>(system, ALGEDONIC);
  for (let i = 0; i < FLOOD; i++) {
    s5.tell({ type: 'policy/dispute', unit: 'upstream:none', advised: 2, granted: 1 });
    channel.tell({ type: 'algedonic/readings' });
  }
  for (let i = 0; i < OTHER_SIGNALS; i++) {
    const reading = { source: `other-${i}`, index: 'x', value: 0, pain: 1, agony: 2, message: '' };
    plane.algedonic.report(reading);
  }
}

/** Milliseconds from a critical reading until S5 has decided, and until a dashboard's next look shows it. */
async function once(world: World, at: number): Promise<{ decided: number; shown: number }> {
  const { plane } = world;
  flood(world);
  const version = plane.viability.policy.version;
  const reading = { source: 'bench', index: `i${at}`, pain: 0.5, agony: 1, message: 'now' };
  const since = performance.now();
  plane.algedonic.report({ ...reading, value: 1 });
  while (plane.viability.policy.version === version) await turn();
  const decided = performance.now() - since;
  if (vsmSnapshot(plane, Date.now()).policy.mode !== 'conserve') throw new Error('S5 has decided otherwise');
  const shown = performance.now() - since;
  plane.algedonic.report({ ...reading, value: 0 });
  await quiet(world);
  return { decided, shown };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Back to normal by S5's own decision, so that the next alarm is a decision again. */
async function quiet({ system, plane }: World): Promise<void> {
  const s5 = refOf<PolicyMessage>(system, POLICY);
  while (plane.viability.policy.mode !== 'normal') {
    s5.urgent({ type: 'policy/set-mode', mode: 'normal' });
    await turn();
  }
}

exitWithParent();
const { values } = parseArgs({ options: { alarms: { type: 'string', default: '2000' } } });
const world = await boot();
for (let i = 0; i < 64; i++) refOf<number>(world.system, PING).tell(i);
const alarms = Number(values.alarms);
const runs: { decided: number; shown: number }[] = [];
for (let i = 0; i < alarms + 100; i++) {
  const run = await once(world, i % 500);
  if (i >= 100) runs.push(run);
}
const decided = runs.map((run) => run.decided).sort((a, b) => a - b);
const shown = runs.map((run) => run.shown).sort((a, b) => a - b);
const figures: AlarmFigures = {
  alarms,
  decidedP50Ms: quantile(decided, 0.5),
  decidedP99Ms: quantile(decided, 0.99),
  shownP50Ms: quantile(shown, 0.5),
  shownP99Ms: quantile(shown, 0.99),
};
announce({ event: 'done', ...figures });
process.exit(0);
