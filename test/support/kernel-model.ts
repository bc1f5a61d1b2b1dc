/**
 * What the kernel promises, as plain data and pure rules, written from OTP's documentation and not from the kernel's
 * code: who lives after an exit, how often, and in which order a mailbox is handled. Property tests compare the two.
 */

export type ModelExit = 'normal' | 'shutdown' | 'killed' | 'fault';
export type ModelRestart = 'permanent' | 'transient' | 'temporary';
export type ModelStrategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface ActorModelSpec {
  readonly kind: 'actor';
  readonly restart: ModelRestart;
  /** Its init and terminate take some turns. Changes nothing about who lives. */
  readonly slow: boolean;
}

export interface SupervisorModelSpec {
  readonly kind: 'supervisor';
  readonly restart: ModelRestart;
  readonly strategy: ModelStrategy;
  readonly max: number;
  readonly withinMs: number;
  readonly children: readonly ModelSpec[];
}

export type ModelSpec = ActorModelSpec | SupervisorModelSpec;

export interface ModelNode {
  readonly path: string;
  readonly spec: ModelSpec;
  readonly parent: ModelNode | null;
  readonly children: ModelNode[];
  alive: boolean;
  incarnation: number;
  restarts: number;
  /** Of a supervisor: when it restarted somebody. */
  times: number[];
  /** Of an actor: how many of its next starts fail. */
  failures: number;
}

function build(spec: ModelSpec, path: string, parent: ModelNode | null): ModelNode {
  const node: ModelNode = {
    path,
    spec,
    parent,
    children: [],
    alive: false,
    incarnation: 0,
    restarts: 0,
    times: [],
    failures: 0,
  };
  if (spec.kind === 'supervisor') {
    const base = path === '/' ? '' : path;
    node.children.push(...spec.children.map((child, i) => build(child, `${base}/c${i}`, node)));
  }
  return node;
}

/** OTP's supervision tree. Everything settles at once. */
export class TreeModel {
  readonly root: ModelNode;
  now = 0;
  /** Paths of supervisors that exceeded their intensity, in order. */
  readonly escalations: string[] = [];

  constructor(spec: SupervisorModelSpec) {
    this.root = build(spec, '/', null);
    this.#start(this.root);
  }

  all(node = this.root): ModelNode[] {
    return [node, ...node.children.flatMap((child) => this.all(child))];
  }

  living(): ModelNode[] {
    return this.all().filter((node) => node.alive);
  }

  advance(ms: number): void {
    this.now += ms;
  }

  exit(node: ModelNode, reason: ModelExit): void {
    this.#stop(node);
    this.#exited(node, reason === 'killed' || reason === 'fault');
  }

  #start(node: ModelNode): boolean {
    node.incarnation += 1;
    node.times = [];
    if (node.failures > 0) {
      node.failures -= 1;
      return false;
    }
    for (const child of node.children) {
      if (this.#start(child)) continue;
      for (const sibling of node.children) this.#stop(sibling);
      return false;
    }
    node.alive = true;
    return true;
  }

  #stop(node: ModelNode): void {
    for (const child of node.children) this.#stop(child);
    node.alive = false;
  }

  #exited(node: ModelNode, abnormal: boolean): void {
    const { parent } = node;
    if (!parent) return;
    const comesBack = node.spec.restart === 'permanent' || (node.spec.restart === 'transient' && abnormal);
    if (!comesBack || this.#escalates(parent)) return;
    this.#restart(parent, node);
  }

  /** Counts a restart. One too many ends the supervisor. */
  #escalates(supervisor: ModelNode): boolean {
    if (supervisor.spec.kind !== 'supervisor') throw new Error('not a supervisor');
    const { max, withinMs } = supervisor.spec;
    supervisor.times.push(this.now);
    if (supervisor.times.filter((time) => this.now - time < withinMs).length <= max) return false;
    this.escalations.push(supervisor.path);
    this.#stop(supervisor);
    this.#exited(supervisor, true);
    return true;
  }

  #restart(supervisor: ModelNode, failed: ModelNode): void {
    const set = restartSet(supervisor, failed);
    for (const node of set) this.#stop(node);
    for (const node of set) {
      if (node !== failed && node.spec.restart === 'temporary') continue;
      node.restarts += 1;
      if (this.#start(node)) continue;
      // A start that fails is one more restart.
      if (!this.#escalates(supervisor)) this.#restart(supervisor, node);
      return;
    }
  }
}

/** Who is restarted with `failed`, in start order. */
export function restartSet(supervisor: ModelNode, failed: ModelNode): readonly ModelNode[] {
  if (supervisor.spec.kind !== 'supervisor') throw new Error('not a supervisor');
  if (supervisor.spec.strategy === 'one_for_one') return [failed];
  if (supervisor.spec.strategy === 'one_for_all') return supervisor.children;
  return supervisor.children.slice(supervisor.children.indexOf(failed));
}

export interface ModelMessage {
  readonly id: number;
  readonly urgent: boolean;
  /** What its handler sends to its own actor. */
  readonly then: readonly ModelMessage[];
}

/** Two bounded lanes and what one turn takes from them. */
export class MailboxModel {
  readonly urgent: ModelMessage[] = [];
  readonly normal: ModelMessage[] = [];
  readonly handled: number[] = [];
  refused = 0;

  constructor(
    readonly bounds: { readonly urgent: number; readonly normal: number },
    readonly turnBudget: number,
    readonly urgentQuota: number,
  ) {}

  send(message: ModelMessage): 'ok' | 'full' {
    const lane = message.urgent ? this.urgent : this.normal;
    if (lane.length >= (message.urgent ? this.bounds.urgent : this.bounds.normal)) {
      this.refused += 1;
      return 'full';
    }
    lane.push(message);
    return 'ok';
  }

  turn(): void {
    let urgentHandled = 0;
    for (let i = 0; i < this.turnBudget; i++) {
      const urgentTurn = urgentHandled < this.urgentQuota || this.normal.length === 0;
      const message = (urgentTurn ? this.urgent.shift() : undefined) ?? this.normal.shift();
      if (!message) return;
      if (message.urgent) urgentHandled += 1;
      this.handled.push(message.id);
      for (const next of message.then) this.send(next);
    }
  }
}
