/**
 * What the viable system remembers and shows, in plain memory: each field has one writer, and outlives that writer's
 * crash. Consoles and the data path read it without asking anybody.
 */
import { AlarmBook } from './alarms-model.js';
import { type LastResort } from './last-resort.js';
import { PleasureWatch } from './pleasure-model.js';
import { firstStanding, type Standing } from './policy-model.js';
import { ReadingsBox } from './readings-box.js';

export class ViabilityState {
  /** Written by the algedonic channel. */
  readonly alarms = new AlarmBook();
  readonly pleasures = new PleasureWatch();
  /** Filled by whoever measures, emptied by the channel. */
  readonly readings = new ReadingsBox();
  readonly lastResort: LastResort;
  /** Written by S5. The data path reads the mode. */
  policy: Standing;

  constructor(now: number, lastResort: LastResort) {
    this.policy = firstStanding(now);
    this.lastResort = lastResort;
  }
}
