/**
 * Algedonic channel: pain and pleasure, past the ordinary lines, to who can do something about it.
 *
 * Parent: viability. Restart: permanent; signals that live are kept outside, so a restart forgets none.
 *
 * A critical signal is at S5 in the turn in which it is read, and whatever else was reported waits for the next one: S5 does not
 * wait for it. Any other has its time at each stage: the unit itself, S3,
 * S5, the operator (docs/vsm.md). Nothing kills itself on an alarm.
 */
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { CONTROL, POLICY } from '../../actors/names.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { type Alarm, type AlarmEffect, type AlarmRules, isForPolicy } from '../alarms-model.js';
import { type ViabilityState } from '../view.js';
import { type AlgedonicLine } from './algedonic-line.js';
import { type AlgedonicMessage } from './messages.js';
import { type OperatorSink } from './webhook.js';

export interface AlgedonicDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly state: ViabilityState;
  readonly line: AlgedonicLine;
  readonly log: Logger;
  /** Tells the operator outside: webhooks. */
  readonly sink: OperatorSink;
}

export const TICK_MS = 1_000;

export function algedonic(deps: AlgedonicDeps) {
  return (context: ActorContext<AlgedonicMessage>): Behavior<AlgedonicMessage> => new Algedonic(deps, context);
}

class Algedonic implements Behavior<AlgedonicMessage> {
  readonly #deps: AlgedonicDeps;
  readonly #context: ActorContext<AlgedonicMessage>;

  constructor(deps: AlgedonicDeps, context: ActorContext<AlgedonicMessage>) {
    this.#deps = deps;
    this.#context = context;
    context.self.urgent({ type: 'algedonic/readings' });
    context.after(TICK_MS, { type: 'algedonic/tick' });
  }

  handle(message: AlgedonicMessage): void {
    switch (message.type) {
      case 'algedonic/readings':
        return this.#readCritical();
      case 'algedonic/rest':
        return this.#read();
      case 'algedonic/tick':
        return this.#tick();
      case 'alarm/acknowledge': {
        const effect = this.#deps.state.alarms.acknowledge(message.id, message.by, this.#context.clock.now());
        if (effect) this.#act(effect);
        message.replyTo?.reply(this.#deps.state.alarms.get(message.id) ?? null);
        return;
      }
    }
  }

  terminate(): void {
    this.#deps.sink.close();
  }

  /** First what S5 is to know now. A flood of other readings would hold it up for as long as it takes to read them. */
  #readCritical(): void {
    const { state, line } = this.#deps;
    const critical = state.readings.takeCritical();
    if (critical.length === 0) return this.#read();
    const now = this.#context.clock.now();
    for (const reading of critical) for (const effect of state.alarms.report(reading, now)) this.#act(effect);
    line.emptied(); // what comes now wakes it anew, and does not wait for the rest
    if (state.readings.waits) this.#context.after(0, { type: 'algedonic/rest' });
  }

  #read(): void {
    const { state, line } = this.#deps;
    const now = this.#context.clock.now();
    line.emptied();
    const { readings, achievements } = state.readings.take();
    for (const reading of readings) for (const effect of state.alarms.report(reading, now)) this.#act(effect);
    for (const achievement of achievements) {
      const since = state.pleasures.achieve(achievement, now, this.#deps.plane.options.vsm.alarms.pleasureAfter);
      if (since === undefined) continue;
      const { source, index, message } = achievement;
      this.#act(state.alarms.delight(source, index, message, since, now, this.#rules));
    }
  }

  #tick(): void {
    this.#read();
    const now = this.#context.clock.now();
    for (const effect of this.#deps.state.alarms.tick(now, this.#rules)) this.#act(effect);
    this.#context.after(TICK_MS, { type: 'algedonic/tick' });
  }

  #act(effect: AlarmEffect): void {
    switch (effect.type) {
      case 'raised':
      case 'escalated':
        this.#note(effect.type, effect.alarm);
        return this.#tell(effect.alarm);
      case 'worsened':
        this.#note('escalated', effect.alarm);
        return this.#tellPolicy(effect.alarm);
      case 'acknowledged':
        return this.#note(effect.type, effect.alarm);
      case 'cleared':
        this.#note(effect.type, effect.alarm);
        if (isForPolicy(effect.alarm)) {
          this.#deps.system.whereis(POLICY)?.urgent({ type: 'policy/alarm-cleared', alarm: effect.alarm });
        }
        if (effect.alarm.stage === 'operator') this.#deps.sink.send('cleared', effect.alarm);
        return;
      case 'pleasure': {
        const { source, index, message } = effect.signal;
        this.#deps.log.info({ event: 'pleasure', source, index }, message);
        this.#deps.system.whereis(CONTROL)?.urgent({ type: 'control/pleasure', source, index });
        return;
      }
    }
  }

  #tell(alarm: Alarm): void {
    switch (alarm.stage) {
      case 'unit':
        return; // whoever reported it has it
      case 'control':
        this.#deps.system.whereis(CONTROL)?.urgent({ type: 'control/alarm', alarm });
        return;
      case 'policy':
        return this.#tellPolicy(alarm);
      case 'operator':
        return this.#deps.sink.send('escalated', alarm);
    }
  }

  #tellPolicy(alarm: Alarm): void {
    if (this.#deps.system.whereis(POLICY)?.urgent({ type: 'policy/alarm', alarm }) === 'ok') return;
    this.#deps.state.lastResort.tell(alarm.source, alarm.index, `${alarm.message} (S5 is not there to decide)`);
  }

  #note(what: 'raised' | 'escalated' | 'acknowledged' | 'cleared', alarm: Alarm): void {
    this.#deps.state.traces.noted(this.#deps.plane.tracing, what, alarm);
    this.#deps.plane.announcements.announce(`alarm/${what}`, () => alarm);
    const { id, source, index, severity, stage, value } = alarm;
    const fields = { event: `alarm_${what}`, id, source, index, severity, stage, value };
    if (what === 'cleared' || what === 'acknowledged') this.#deps.log.info(fields, alarm.message);
    else if (severity === 'critical' || stage === 'operator') this.#deps.log.error(fields, alarm.message);
    else this.#deps.log.warn(fields, alarm.message);
  }

  get #rules(): AlarmRules {
    return this.#deps.plane.options.vsm.alarms;
  }
}
