/** Puts the viable system together: its state, its line, its actors. */
import { ALGEDONIC } from '../actors/names.js';
import { type DataPlane } from '../actors/data-plane.js';
import { type ProcessView } from '../actors/metrics.js';
import { type UpstreamView } from '../actors/upstream-view.js';
import { vitalSigns } from '../actors/vital-signs.js';
import { type ActorSystem } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type Windows } from '../telemetry/windows.js';
import { algedonic } from '../vsm/actors/algedonic.js';
import { AlgedonicLine } from '../vsm/actors/algedonic-line.js';
import { policy } from '../vsm/actors/policy.js';
import { Webhook } from '../vsm/actors/webhook.js';
import { LastResort } from '../vsm/last-resort.js';
import { ViabilityState } from '../vsm/view.js';

/** Its memory, which outlives every actor of it. */
export function viabilityState(now: () => number, log: Logger): ViabilityState {
  const lastResort = new LastResort(({ source, index, message }) => {
    log.fatal({ event: 'alarm_last_resort', source, index }, `alarm that nobody decides on: ${message}`);
  }, now);
  return new ViabilityState(now(), lastResort);
}

export interface ViabilityParts {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly random: () => number;
  readonly windows: Windows;
  readonly process: ProcessView;
  readonly views: ReadonlyMap<string, UpstreamView>;
  readonly url: () => string;
}

/** The inits of its actors by path. Connects `plane.algedonic` to the channel. */
export function viabilityInits(parts: ViabilityParts): Record<string, unknown> {
  const { system, plane, log, random, windows, process, views, url } = parts;
  const state = plane.viability;
  const line = new AlgedonicLine(system, ALGEDONIC, state);
  plane.algedonic = line;
  plane.pleasure = line;
  const { clock } = system;
  const { counters } = plane;
  const options = () => plane.options.vsm.webhook;
  const sink = new Webhook({ options, clock, random, log, counters, gateway: url });
  return {
    '/vitals/vital-signs': vitalSigns({ system, plane, windows, process, views }),
    '/viability/policy': policy({ plane, state, log }),
    '/viability/algedonic': algedonic({ system, plane, state, line, log, sink }),
  };
}
