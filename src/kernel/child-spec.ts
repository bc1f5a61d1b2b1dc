/**
 * How a child is started, restarted and stopped. Semantics are those of Erlang/OTP's `supervisor` behaviour
 * (OTP Design Principles, "Supervisor Behaviour"), with JavaScript's one difference: a handler cannot be interrupted,
 * so a child that does not stop in time is abandoned and reported.
 */
import { type Clock, type TimerHandle } from './clock.js';
import { type ExitReason, type Ref } from './ref.js';

/** permanent: always restarted. transient: restarted after an abnormal exit. temporary: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** More than `max` restarts within `withinMs` make the supervisor itself exit. */
export interface Intensity {
  readonly max: number;
  readonly withinMs: number;
}

export interface MailboxSpec {
  /** Bound of the urgent lane. Default 1,024. */
  readonly urgent?: number;
  /** Bound of the normal lane. Default 4,096. */
  readonly normal?: number;
  /** Whether messages that wait when the actor crashes go to its next incarnation. Default false: dead letters. */
  readonly keep?: boolean;
}

/** What an actor does. Methods of one actor never run at the same time. */
export interface Behavior<M> {
  /** A throw or rejection is a defect: the actor exits with it and its supervisor decides. */
  handle(message: M): void | Promise<void>;
  /** Runs once, after the last message, whatever the reason. Releases what the actor owns. */
  terminate?(reason: ExitReason): void | Promise<void>;
  /** Called after `terminate` for each message that waited and will not be handled, so that its sender can be told. */
  unhandled?(message: M): void;
}

/** What an actor can do besides sending. Valid for one incarnation. */
export interface ActorContext<M> {
  readonly self: Ref<M>;
  readonly path: string;
  readonly clock: Clock;
  /** Aborted when the actor begins to stop; pass it to what the actor awaits. */
  readonly signal: AbortSignal;
  /** Ends this actor after the running message. */
  exit(reason: ExitReason): void;
  /** Sends itself `message` after `ms` milliseconds, unless it has exited by then. */
  after(ms: number, message: M): TimerHandle;
  /**
   * Sends itself `down(reason)` once when `target` exits (at once when it has), on the urgent lane.
   * Source: erlang:monitor/2.
   */
  monitor<T>(target: Ref<T>, down: (reason: ExitReason) => M): MonitorHandle;
}

export interface MonitorHandle {
  cancel(): void;
}

export type ActorInit<M> = (context: ActorContext<M>) => Behavior<M> | Promise<Behavior<M>>;
interface ChildBase {
  /** Unique among its siblings; a path segment, so without `/`. */
  readonly id: string;
  /** Default permanent. */
  readonly restart?: Restart;
  /** How long a stop may take in milliseconds before the child is abandoned. Default 5,000. */
  readonly shutdownMs?: number;
}

export interface ActorSpec<M> extends ChildBase {
  readonly type: 'actor';
  readonly mailbox?: MailboxSpec;
  readonly init: ActorInit<M>;
}

export interface SupervisorSpec extends ChildBase {
  readonly type: 'supervisor';
  readonly strategy: Strategy;
  readonly intensity: Intensity;
  readonly children: readonly ChildSpec[];
  /** Delay in milliseconds before the nth restart within the window (n from 1). Default none. one_for_one only. */
  readonly backoff?: (attempt: number) => number;
}

/** Children come and go at run time (Elixir's DynamicSupervisor, OTP's simple_one_for_one). */
export interface DynamicSupervisorSpec extends ChildBase {
  readonly type: 'dynamic';
  readonly intensity: Intensity;
  /** Default 1,000,000. */
  readonly maxChildren?: number;
}

/**
 * A dynamic supervisor for very many temporary children, spread over partitions of at most `partitionSize`, each a
 * dynamic supervisor of its own: no single list grows long and a storm of faults ends one partition, not all
 * (Elixir's PartitionSupervisor).
 */
export interface PartitionedSupervisorSpec extends ChildBase {
  readonly type: 'partitioned';
  readonly intensity: Intensity;
  /** Default 100. */
  readonly partitionSize?: number;
  /** Over all partitions. Default 1,000,000. */
  readonly maxChildren?: number;
  /** Of each partition. */
  readonly partitionIntensity: Intensity;
}

// The message type of an actor inside a tree is known to its name and its refs, not to the tree.
export type ChildSpec = ActorSpec<never> | SupervisorSpec | DynamicSupervisorSpec | PartitionedSupervisorSpec;

export const DEFAULT_SHUTDOWN_MS = 5_000;

/** Builds an actor's child spec with its message type checked, then forgets the type for the tree. */
export function actor<M>(spec: Omit<ActorSpec<M>, 'type'>): ActorSpec<never> {
  return { type: 'actor', ...spec } as unknown as ActorSpec<never>;
}

export function supervisor(spec: Omit<SupervisorSpec, 'type'>): SupervisorSpec {
  return { type: 'supervisor', ...spec };
}

export function dynamic(spec: Omit<DynamicSupervisorSpec, 'type'>): DynamicSupervisorSpec {
  return { type: 'dynamic', ...spec };
}

export function partitioned(spec: Omit<PartitionedSupervisorSpec, 'type'>): PartitionedSupervisorSpec {
  return { type: 'partitioned', ...spec };
}
