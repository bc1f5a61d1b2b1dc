/**
 * Fixtures for tests of the kernel: a system on a virtual clock, actors that do what a message says, and a way to wait
 * until nothing moves any more. Nothing here sleeps.
 */
import {
  actor,
  type ActorContext,
  actorName,
  type ActorSpec,
  ActorSystem,
  type Behavior,
  type ChildSpec,
  type ExitReason,
  type Intensity,
  type NodeSnapshot,
  type Ref,
  type Report,
  type Strategy,
  supervisor,
  type SupervisorSpec,
  VirtualClock,
} from '#src/kernel/index.js';

/** A message to a scripted actor: what to do. */
export type Act = (context: ActorContext<Act>) => void | Promise<void>;

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns without any activity after which a system counts as quiet: an exit needs one, a restart one more. */
const QUIET_TURNS = 6;

/** Waits until `activity` has not grown for some turns of the event loop. Fires what is due now, never later timers. */
export async function settle(activity: () => number, clock?: VirtualClock): Promise<void> {
  let last = activity();
  for (let idle = 0; idle < QUIET_TURNS; idle++) {
    await turn();
    clock?.advance(0);
    const now = activity();
    if (now !== last) idle = -1;
    last = now;
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** `how` of an init: `undefined` succeeds at once. */
export type InitScript = (context: ActorContext<Act>) => void | Promise<void>;

export interface ScriptedOptions extends Partial<Omit<ActorSpec<Act>, 'type' | 'id' | 'init'>> {
  readonly init?: InitScript;
  readonly terminate?: (reason: ExitReason) => void | Promise<void>;
}

/** A booted or bootable system whose reports and actors' doings are in one log. */
export class Fixture {
  readonly clock = new VirtualClock(1_000_000);
  readonly reports: Report[] = [];
  /** What happened, in order: `init /a#1`, `terminate /a#1 shutdown`, and what tests add. */
  readonly log: string[] = [];
  /** Messages that scripted actors have begun to handle. */
  handled = 0;
  readonly system = new ActorSystem({ clock: this.clock, onReport: (report) => this.reports.push(report) });

  /** An actor that logs its start and end and does what messages say. */
  scripted(id: string, options: ScriptedOptions = {}): ActorSpec<never> {
    const { init, terminate, ...spec } = options;
    return actor<Act>({
      id,
      ...spec,
      init: (context) => {
        const name = `${context.path}#${context.self.incarnation}`;
        const behavior: Behavior<Act> = {
          handle: (act) => {
            this.handled += 1;
            return act(context);
          },
          terminate: (reason) => {
            this.log.push(`terminate ${name} ${reason.type}`);
            return terminate?.(reason);
          },
        };
        this.log.push(`init ${name}`);
        const pending = init?.(context);
        return pending ? pending.then(() => behavior) : behavior;
      },
    });
  }

  boot(children: readonly ChildSpec[], options: Partial<Omit<SupervisorSpec, 'type' | 'children'>> = {}) {
    return this.system.boot(tree('root', children, options));
  }

  ref(path: string): Ref<Act> {
    const ref = this.system.whereis(actorName<Act>(path));
    if (!ref) throw new Error(`nobody lives at ${path}`);
    return ref;
  }

  lives(path: string): boolean {
    return this.system.whereis(actorName<Act>(path)) !== undefined;
  }

  crash(path: string, message = 'boom'): void {
    this.ref(path).tell(() => {
      throw new Error(message);
    });
  }

  settle(): Promise<void> {
    return settle(() => this.reports.length + this.log.length + this.handled, this.clock);
  }

  /** Reports of one type. */
  of<T extends Report['type']>(type: T): Extract<Report, { type: T }>[] {
    return this.reports.filter((report): report is Extract<Report, { type: T }> => report.type === type);
  }

  /** `path#incarnation` of reports of one type. */
  who(type: 'child/started' | 'child/terminated' | 'child/restarted' | 'child/abandoned'): string[] {
    return this.of(type).map((report) => `${report.path}#${report.incarnation}`);
  }

  /** Everybody in the snapshot by path. */
  nodes(maxDynamic?: number): Map<string, NodeSnapshot> {
    return byPath(this.system.snapshot(maxDynamic));
  }
}

export function tree(
  id: string,
  children: readonly ChildSpec[],
  options: Partial<Omit<SupervisorSpec, 'type' | 'children'>> = {},
): SupervisorSpec {
  const strategy: Strategy = options.strategy ?? 'one_for_one';
  const intensity: Intensity = options.intensity ?? { max: 3, withinMs: 1_000 };
  return supervisor({ ...options, id, strategy, intensity, children });
}

export function byPath(node: NodeSnapshot, into = new Map<string, NodeSnapshot>()): Map<string, NodeSnapshot> {
  into.set(node.path, node);
  for (const child of node.children) byPath(child, into);
  return into;
}
