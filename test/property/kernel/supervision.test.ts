/** Random trees and random histories: the kernel's tree is OTP's. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ChildSpec, type Ref, supervisor } from '#src/kernel/index.js';
import { type Act, Fixture, turn } from '../../support/kernel.js';
import {
  type ModelExit,
  type ModelNode,
  type ModelSpec,
  type SupervisorModelSpec,
  TreeModel,
} from '../../support/kernel-model.js';

const restart = fc.constantFrom('permanent', 'permanent', 'transient', 'temporary' as const);

function supervisorSpec(depth: number): fc.Arbitrary<SupervisorModelSpec> {
  return fc.record({
    kind: fc.constant('supervisor'),
    restart,
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    max: fc.nat(3),
    withinMs: fc.constantFrom(500, 1_000),
    children: fc.array(nodeSpec(depth - 1), { minLength: 1, maxLength: 4 }),
  });
}

function nodeSpec(depth: number): fc.Arbitrary<ModelSpec> {
  const leaf = fc.record({ kind: fc.constant('actor'), restart, slow: fc.boolean() });
  if (depth <= 0) return leaf;
  return fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 2, arbitrary: supervisorSpec(depth) });
}

type Op =
  | { readonly type: 'exit'; readonly pick: number; readonly reason: ModelExit }
  | { readonly type: 'fail'; readonly pick: number; readonly times: number }
  | { readonly type: 'advance'; readonly ms: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('exit'),
      pick: fc.nat(1_000),
      reason: fc.constantFrom('fault', 'fault', 'killed', 'normal', 'shutdown' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('fail'), pick: fc.nat(1_000), times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('advance'), ms: fc.integer({ min: 1, max: 700 }) }) },
);

/** A model's tree, run by the kernel, with every invariant that holds at any moment checked as it goes. */
class Run {
  readonly fix = new Fixture();
  /** Starts to fail, by path. */
  readonly failures = new Map<string, number>();
  readonly #started = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #refs: Ref<Act>[] = [];

  constructor(readonly spec: SupervisorModelSpec) {
    this.fix.system.onReport((report) => {
      if (report.type === 'child/started') {
        const who = `${report.path}#${report.incarnation}`;
        assert.ok(!this.#started.has(who), `${who} started twice`);
        this.#started.add(who);
      } else if (report.type === 'child/terminated') {
        const who = `${report.path}#${report.incarnation}`;
        assert.ok(this.#started.has(who), `${who} ended before it started`);
        assert.ok(!this.#ended.has(who), `${who} ended twice`);
        this.#ended.add(who);
      }
    });
  }

  boot(): Promise<void> {
    return this.fix.system.boot(this.#childSpec(this.spec, 'root'));
  }

  exit(node: ModelNode, reason: ModelExit): void {
    if (node.spec.kind === 'supervisor' || reason === 'killed') {
      this.fix.system.kill(node.path);
      return;
    }
    this.fix.ref(node.path).tell((context) => {
      if (reason === 'fault') throw new Error('boom');
      context.exit({ type: reason });
    });
  }

  /** Messages to everybody who ever lived: the dead must refuse them, and never handle one. */
  probe(): void {
    for (const ref of this.#refs) {
      const who = `${ref.path}#${ref.incarnation}`;
      const answer = ref.tell(() => assert.ok(!this.#ended.has(who), `${who} handled a message after its end`));
      if (this.#ended.has(who)) assert.equal(answer, 'noproc');
    }
  }

  /** `path incarnation restarts` of everybody who runs. */
  living(): string[] {
    return [...this.fix.nodes().values()]
      .filter((node) => node.state === 'running')
      .map((node) => `${node.path} #${node.incarnation} ${node.restarts}`);
  }

  /** Everybody who started and has not ended runs, nobody else does, and nothing is wrong with the books. */
  checkBooks(): void {
    const open = [...this.#started].filter((who) => !this.#ended.has(who));
    const running = [...this.fix.nodes().values()]
      .filter((node) => node.state === 'running')
      .map((node) => `${node.path}#${node.incarnation}`);
    assert.deepEqual(open.sort(), running.sort());
    assert.deepEqual(this.fix.of('actor/late-error'), []);
    assert.deepEqual(this.fix.of('child/abandoned'), []);
    assert.equal(this.fix.clock.pending, 0, 'no timer is left');
  }

  #childSpec(spec: ModelSpec, id: string): ChildSpec {
    if (spec.kind === 'actor') return this.#actorSpec(spec.restart, spec.slow, id);
    return supervisor({
      id,
      restart: spec.restart,
      strategy: spec.strategy,
      intensity: { max: spec.max, withinMs: spec.withinMs },
      children: spec.children.map((child, i) => this.#childSpec(child, `c${i}`)),
    });
  }

  #actorSpec(type: ModelSpec['restart'], slow: boolean, id: string): ChildSpec {
    const wait = (): Promise<void> | undefined => (slow ? turn() : undefined);
    return this.fix.scripted(id, {
      restart: type,
      terminate: wait,
      init: (context) => {
        const left = this.failures.get(context.path) ?? 0;
        this.failures.set(context.path, left - 1);
        if (left > 0) {
          if (slow) return turn().then(() => Promise.reject(new Error('not yet')));
          throw new Error('not yet');
        }
        this.#refs.push(context.self);
        return wait();
      },
    });
  }
}

function modelLiving(model: TreeModel): string[] {
  return model.living().map((node) => `${node.path} #${node.incarnation} ${node.restarts}`);
}

describe('supervision, compared with the model', () => {
  it('leaves alive exactly whom OTP would, after every step', async () => {
    await fc.assert(
      fc.asyncProperty(supervisorSpec(3), fc.array(op, { maxLength: 25 }), async (spec, ops) => {
        const model = new TreeModel(spec);
        const run = new Run(spec);
        await run.boot();
        assert.deepEqual(run.living(), modelLiving(model));
        for (const step of ops) {
          const living = model.living().filter((node) => node !== model.root);
          if (step.type === 'advance') {
            model.advance(step.ms);
            run.fix.clock.advance(step.ms);
          } else if (step.type === 'fail') {
            const actors = model.all().filter((node) => node.spec.kind === 'actor');
            const victim = actors[step.pick % actors.length];
            if (!victim) continue;
            victim.failures = step.times;
            run.failures.set(victim.path, step.times);
          } else {
            const victim = living[step.pick % living.length];
            if (!victim) continue;
            run.exit(victim, step.reason);
            // A supervisor is only ever killed.
            model.exit(victim, victim.spec.kind === 'supervisor' ? 'killed' : step.reason);
          }
          await run.fix.settle();
          run.probe();
          assert.deepEqual(run.living(), modelLiving(model));
          assert.deepEqual(
            run.fix.of('supervisor/intensity-exceeded').map(({ path }) => path),
            model.escalations,
          );
        }
        await run.fix.settle();
        run.checkBooks();
        if (!model.root.alive) assert.equal((await run.fix.system.terminated).type, 'intensity');
      }),
      { numRuns: 250 },
    );
  });

  it('keeps its books when exits come all together, and ends clean when stopped at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        supervisorSpec(3),
        fc.array(fc.array(op, { maxLength: 6 }), { maxLength: 6 }),
        fc.nat(4),
        async (spec, bursts, turns) => {
          const run = new Run(spec);
          const model = new TreeModel(spec); // for the names only
          await run.boot();
          for (const burst of bursts) {
            for (const step of burst) {
              if (step.type !== 'exit') continue;
              const alive = model.all().filter((node) => node !== model.root && run.fix.lives(node.path));
              const victim = alive[step.pick % alive.length];
              if (victim) run.exit(victim, step.reason);
            }
            run.probe();
            for (let i = 0; i < turns; i++) await turn();
          }
          if (turns % 2 === 0) {
            await run.fix.settle();
            run.checkBooks();
            assertNobodyMissing(run, model);
          }
          run.probe();
          await run.fix.system.shutdown();
          await run.fix.settle();
          run.probe();
          run.checkBooks();
          assert.deepEqual(run.living(), []);
          assert.deepEqual([...run.fix.system.paths()], ['/']);
        },
      ),
      { numRuns: 250 },
    );
  });
});

/** Whoever is permanent under a supervisor that runs, runs. */
function assertNobodyMissing(run: Run, model: TreeModel): void {
  for (const node of model.all()) {
    if (!node.parent || node.spec.restart !== 'permanent') continue;
    const parentLives = node.parent === model.root ? run.fix.lives('/') : run.fix.lives(node.parent.path);
    if (parentLives) assert.ok(run.fix.lives(node.path), `${node.path} is missing`);
  }
}
