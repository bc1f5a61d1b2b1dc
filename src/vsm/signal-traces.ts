/**
 * The trace of a signal through the viable system: raised, passed on from S1 to S3 to S5 to the operator, and what S5 decides
 * because of it. One trace a signal; nothing of it where tracing is off.
 */
import { type Alarm } from './alarms-model.js';
import { type Standing } from './policy-model.js';

/** Context of a trace, W3C. */
interface StepContext {
  readonly traceparent: string;
}

/** Begins the steps; `null` in its place when tracing is off. */
export interface StepTracer {
  step(
    name: string,
    attributes: Readonly<Record<string, string | number>>,
    cause: StepContext | null,
  ): { readonly context: StepContext | null; end(): void };
}

export type SignalStep = 'raised' | 'escalated' | 'acknowledged' | 'cleared';

export class SignalTraces {
  /** Context of the last step of each signal that lives. */
  readonly #contexts = new Map<number, StepContext>();

  noted(tracing: StepTracer | null, step: SignalStep, alarm: Alarm): void {
    const cause = this.#contexts.get(alarm.id) ?? null;
    if (step === 'cleared') this.#contexts.delete(alarm.id);
    if (tracing === null) return;
    const { id, source, index, severity, stage, value } = alarm;
    const span = tracing.step(
      `algedonic ${step}`,
      {
        'viable.alarm.id': id,
        'viable.alarm.source': source,
        'viable.alarm.index': index,
        'viable.alarm.severity': severity,
        'viable.alarm.stage': stage,
        'viable.alarm.value': value,
      },
      cause,
    );
    if (step !== 'cleared' && span.context) this.#contexts.set(id, span.context);
    span.end();
  }

  /** S5 decided; `because`: the signal that called for it, if one did. */
  decided(tracing: StepTracer | null, { mode, version, by, reason }: Standing, because: Alarm | null): void {
    if (tracing === null) return;
    const cause = because ? (this.#contexts.get(because.id) ?? null) : null;
    const attributes = {
      'viable.policy.mode': mode,
      'viable.policy.version': version,
      'viable.policy.by': by,
      'viable.policy.reason': reason,
    };
    tracing.step('policy decision', attributes, cause).end();
  }
}
