/**
 * S5, policy: holds the mode of the gateway, decides on alarms, and is the last word when S3 and S4 cannot agree.
 *
 * Parent: viability. Restart: permanent; the policy in force is kept outside and stays in force while S5 is dead.
 *
 * Invariant: every change is a new version, and says who made it and why.
 * Source: Beer, "The Heart of Enterprise"; the decisions are `src/vsm/policy-model.ts`.
 */
import { type DataPlane } from '../../actors/data-plane.js';
import { CONTROL } from '../../actors/names.js';
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import {
  calledFor,
  type CompiledRule,
  compileModes,
  decide,
  type Mode,
  type ModeRule,
  next,
  type Standing,
} from '../policy-model.js';
import { type ViabilityState } from '../view.js';
import { type Alarm } from '../alarms-model.js';
import { type PolicyMessage } from './messages.js';

export interface PolicyDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly state: ViabilityState;
  readonly log: Logger;
}

const TICK_MS = 1_000;

export function policy(deps: PolicyDeps) {
  return (context: ActorContext<PolicyMessage>): Behavior<PolicyMessage> => new Policy(deps, context);
}

class Policy implements Behavior<PolicyMessage> {
  readonly #deps: PolicyDeps;
  readonly #context: ActorContext<PolicyMessage>;
  #quietSince: number | null = null;
  /** The rules of the options in force, made ready once. */
  #rules: { readonly of: readonly ModeRule[]; readonly compiled: readonly CompiledRule[] } = { of: [], compiled: [] };

  constructor(deps: PolicyDeps, context: ActorContext<PolicyMessage>) {
    this.#deps = deps;
    this.#context = context;
    context.after(TICK_MS, { type: 'policy/tick' });
  }

  handle(message: PolicyMessage): void {
    switch (message.type) {
      case 'policy/alarm':
      case 'policy/alarm-cleared':
        return this.#decide();
      case 'policy/dispute':
        return this.#rule(message.unit);
      case 'policy/tick':
        this.#decide();
        this.#context.after(TICK_MS, { type: 'policy/tick' });
        return;
      case 'policy/set-mode':
        this.#setMode(message.mode);
        return message.replyTo?.reply(this.#deps.state.policy);
    }
  }

  #decide(): void {
    const { plane, state } = this.#deps;
    const { policy: options, enabled } = plane.options.vsm;
    if (!enabled || !options.enabled) return;
    const now = this.#context.clock.now();
    if (options.modes !== this.#rules.of) this.#rules = { of: options.modes, compiled: compileModes(options.modes) };
    const called = calledFor(state.alarms.pressing(), this.#rules.compiled);
    this.#quietSince = called.because === null ? (this.#quietSince ?? now) : null;
    this.#apply(decide(state.policy, called, this.#quietSince, options.calm, now), called.because);
  }

  /** Between S3, which has no more to grant, and S4, which sees more coming: what is essential goes before what is fair. */
  #rule(unit: string): void {
    const { plane, system, log } = this.#deps;
    const { policy: options, enabled } = plane.options.vsm;
    if (!enabled || !options.enabled) return;
    const essential = options.essential.includes(unit.slice('upstream:'.length));
    const favour = essential ? 'intelligence' : 'control';
    log.info({ event: 'policy_ruling', unit, favour }, `S5 rules for ${essential ? 'S4' : 'S3'} about ${unit}`);
    system.whereis(CONTROL)?.tell({ type: 'control/ruled', unit, favour });
  }

  #setMode(mode: Mode): void {
    const by = mode === 'normal' ? 'policy' : 'operator';
    const { state } = this.#deps;
    if (state.policy.mode === mode && state.policy.by === by) return;
    this.#apply(next(state.policy, mode, by, 'an operator said so', this.#context.clock.now()), null);
  }

  /** `because`: the signal that called for it, if one did. */
  #apply(standing: Standing, because: Alarm | null): void {
    const { plane, state, log } = this.#deps;
    if (standing === state.policy) return;
    const before = state.policy.mode;
    state.policy = standing;
    state.traces.decided(plane.tracing, standing, because);
    const { version, mode, by, reason } = standing;
    const fields = { event: 'policy_mode', version, mode, before, by, reason };
    if (mode === 'normal') log.info(fields, `policy ${version}: back to normal, ${reason}`);
    else log.warn(fields, `policy ${version}: ${mode}, ${reason}`);
  }
}
