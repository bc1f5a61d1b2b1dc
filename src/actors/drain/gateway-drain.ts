/**
 * The gateway's drain: takes the gateway down without losing work, and starts the drains of parts of it. Readiness goes
 * first, then newcomers are refused, clients are told in their transport's own way, idle ones are closed at a pace, what is
 * in flight finishes, the rest is closed with an answer to whatever did not; then the tree is stopped.
 *
 * Parent: drain. Restart: permanent; a restarted one goes on where the record says.
 * The phases are `src/machines/drain.ts`.
 */
import { type DrainTarget } from '../../admin/protocol.js';
import { type ActorContext, actor, type Behavior, type Ref } from '../../kernel/index.js';
import { PARTIAL_DRAINS } from '../names.js';
import { type DrainRecord, drainSnapshot } from './board.js';
import {
  drainId,
  type DrainMessage,
  type DrainOutcome,
  type DrainRefusal,
  type DrainReply,
  type DrainRequest,
  type PartialDrainMessage,
} from './messages.js';
import { partialDrain } from './partial-drain.js';
import { type Drainable, type DrainDeps, DrainRun } from './run.js';
import { type TargetDeps } from './sessions.js';
import { drainable, targetNames } from './targets.js';

export interface GatewayDrainDeps extends DrainDeps {
  readonly sockets: TargetDeps['sockets'];
  /** It has ended. After anything but `cancelled` the tree is to be stopped. */
  readonly onEnd: (outcome: DrainOutcome) => void;
}

/** Drains of parts at one time. */
const MAX_PARTIAL = 64;
const GATEWAY: DrainTarget = { kind: 'gateway' };

export function gatewayDrain(deps: GatewayDrainDeps) {
  return (context: ActorContext<DrainMessage>): Behavior<DrainMessage> => new GatewayDrain(deps, context);
}

class GatewayDrain implements Behavior<DrainMessage> {
  readonly #deps: GatewayDrainDeps;
  readonly #context: ActorContext<DrainMessage>;
  readonly #targets: TargetDeps;
  readonly #whole: Drainable;
  #run: DrainRun | null = null;

  constructor(deps: GatewayDrainDeps, context: ActorContext<DrainMessage>) {
    this.#deps = deps;
    this.#context = context;
    const { system, plane, sockets } = deps;
    this.#targets = { system, plane, sockets };
    this.#whole = drainable(this.#targets, GATEWAY) as Drainable;
    const record = deps.board.running('gateway');
    if (!record) return;
    this.#run = this.#newRun(record);
    context.self.tell({ type: 'drain/look' });
  }

  handle(message: DrainMessage): void {
    switch (message.type) {
      case 'drain/begin':
        return this.#begin(message, (reply) => message.replyTo?.reply(reply));
      case 'drain/force':
        message.replyTo?.reply({ stopping: true });
        return this.#force(message.reason);
      case 'drain/cancel':
        return this.#cancel(message.target ?? GATEWAY, (reply) => message.replyTo?.reply(reply));
      case 'drain/look':
        return this.#run?.look();
    }
  }

  #begin(request: DrainRequest, reply: (reply: DrainReply) => void): void {
    const { target = GATEWAY } = request;
    const known = this.#over() ?? this.#deps.board.running(drainId(target));
    if (known) return reply(drainSnapshot(known)); // joins the one that runs: its deadline holds
    if (target.kind !== 'gateway') return this.#beginPart(target, request, reply);
    const run = this.#newRun(this.#newRecord(target, request, this.#whole));
    this.#run = run;
    run.begin();
    reply(drainSnapshot(run.record));
  }

  #beginPart(target: DrainTarget, request: DrainRequest, reply: (reply: DrainReply) => void): void {
    const part = drainable(this.#targets, target);
    if (!part) return reply({ refused: this.#unknown(target) });
    const id = drainId(target);
    const running = [...this.#deps.board.all()].filter(({ endedAt }) => endedAt === null).length;
    if (running > MAX_PARTIAL)
      return reply({ refused: refusal('overloaded', `${MAX_PARTIAL} drains run already; wait for one to end.`) });
    const record = this.#newRecord(target, request, part);
    const started = this.#deps.system.startChild<PartialDrainMessage>(
      PARTIAL_DRAINS,
      actor<PartialDrainMessage>({
        id: encodeURIComponent(id),
        restart: 'transient',
        init: partialDrain(this.#deps, part, record),
      }),
    );
    if (started.ok) return reply(drainSnapshot(record));
    this.#deps.board.forget(id);
    reply({ refused: refusal('overloaded', `The drain could not be started: ${started.why}.`) });
  }

  /** The gateway's own record, when the gateway is stopping: nothing can begin or change any more. */
  #over(): DrainRecord | undefined {
    const record = this.#deps.board.get('gateway');
    return record?.phase === 'stopped' ? record : undefined;
  }

  #force(reason: string): void {
    if (this.#over()) return;
    const known = this.#run?.record.endedAt === null ? this.#run : null;
    const run = known ?? this.#newRun(this.#newRecord(GATEWAY, { reason }, this.#whole));
    this.#run = run;
    run.force();
  }

  #cancel(target: DrainTarget, reply: (reply: DrainReply) => void): void {
    const id = drainId(target);
    const record = this.#deps.board.get(id);
    if (!record) return reply({ refused: refusal('not_draining', `Nothing drains ${id}.`) });
    if (record.phase === 'closing' || this.#over() || (target.kind === 'gateway' && this.#deps.plane.handover))
      return reply({ refused: refusal('too_late', `It is too late: ${id} is being closed.`) });
    if (record.endedAt !== null) {
      // What was taken out of service for good is brought back.
      drainable(this.#targets, target)?.reopen();
      record.phase = 'running';
      this.#deps.board.changed(record);
    } else if (target.kind === 'gateway') this.#run?.cancel();
    else this.#part(id)?.urgent({ type: 'drain/cancel' });
    reply(drainSnapshot(record));
  }

  #part(id: string): Ref<PartialDrainMessage> | undefined {
    const path = `${PARTIAL_DRAINS}/${encodeURIComponent(id)}`;
    return this.#deps.system.childrenOf<PartialDrainMessage>(PARTIAL_DRAINS).find((ref) => ref.path === path);
  }

  #newRecord(target: DrainTarget, request: DrainRequest, part: Drainable): DrainRecord {
    const { enabled, defaultTimeout, lameDuck } = this.#deps.plane.options.draining;
    const now = this.#context.clock.now();
    const grace = enabled ? (request.graceMs ?? (target.kind === 'gateway' ? lameDuck : 0)) : 0;
    const timeout = enabled ? (request.timeoutMs ?? defaultTimeout) : 0;
    const connections = part.connections();
    const record: DrainRecord = {
      id: drainId(target),
      target,
      reason: request.reason,
      startedAt: now,
      graceUntil: now + grace,
      deadlineAt: now + grace + timeout,
      connectionsAtStart: connections,
      phase: 'running',
      outcome: null,
      endedAt: null,
      connectionsLeft: connections,
      inFlight: part.inFlight(),
      noticeAt: now + grace,
      progressAt: now,
      stalled: false,
      closeUntil: null,
    };
    this.#deps.board.put(record);
    return record;
  }

  #newRun(record: DrainRecord): DrainRun {
    return new DrainRun(this.#deps, this.#whole, record, {
      clock: this.#context.clock,
      later: (ms) => this.#context.after(ms, { type: 'drain/look' }),
      onEnd: (outcome) => this.#deps.onEnd(outcome),
    });
  }

  #unknown(target: DrainTarget): DrainRefusal {
    const name = drainId(target).slice(target.kind.length + 1);
    const names = targetNames(this.#targets, target.kind);
    return refusal('unknown_target', `There is no ${target.kind} "${name}".`, name, names);
  }
}

function refusal(code: DrainRefusal['code'], message: string, asked = '', names: readonly string[] = []): DrainRefusal {
  return { code, message, asked, names };
}
