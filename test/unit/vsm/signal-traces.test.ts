import assert from 'node:assert/strict';
import { type Alarm } from '#src/vsm/alarms-model.js';
import { SignalTraces, type StepTracer } from '#src/vsm/signal-traces.js';

interface Step {
  readonly name: string;
  readonly cause: string | null;
  ended: boolean;
}

/** Numbers its steps: the context of the third is `3`. */
class Recorder implements StepTracer {
  readonly steps: Step[] = [];

  step(name: string, _: unknown, cause: { readonly traceparent: string } | null) {
    const step: Step = { name, cause: cause?.traceparent ?? null, ended: false };
    this.steps.push(step);
    const context = { traceparent: String(this.steps.length) };
    return { context, event: () => undefined, end: () => void (step.ended = true) };
  }
}

describe('vsm/actors/signal-traces', () => {
  const alarm = (id: number): Alarm =>
    ({ id, source: 's', index: 'i', severity: 'high', stage: 'control', value: 1 }) as unknown as Alarm;
  const standing = { version: 2, mode: 'conserve', since: 0, by: 'policy', reason: 'r' } as const;

  it('each step of a signal is under the one before, the decision under the last; signals are apart', () => {
    const recorder = new Recorder();
    const tracing: StepTracer = recorder;
    const traces = new SignalTraces();
    traces.noted(tracing, 'raised', alarm(1));
    traces.noted(tracing, 'raised', alarm(2));
    traces.noted(tracing, 'escalated', alarm(1));
    traces.decided(tracing, standing, alarm(1));
    traces.noted(tracing, 'cleared', alarm(1));
    traces.noted(tracing, 'raised', alarm(1));
    assert.deepEqual(recorder.steps, [
      { name: 'algedonic raised', cause: null, ended: true },
      { name: 'algedonic raised', cause: null, ended: true },
      { name: 'algedonic escalated', cause: '1', ended: true },
      { name: 'policy decision', cause: '3', ended: true },
      { name: 'algedonic cleared', cause: '3', ended: true },
      { name: 'algedonic raised', cause: null, ended: true },
    ]);
  });

  it('without tracing nothing is made', () => {
    const traces = new SignalTraces();
    traces.noted(null, 'raised', alarm(1));
    traces.decided(null, standing, alarm(1));
  });
});
