/**
 * What the viable system remembers and shows, in plain memory: each field has one writer, and outlives that writer's
 * crash. Consoles and the data path read it without asking anybody.
 */
import { AlarmBook } from './alarms-model.js';
import { type Finding } from './audit-model.js';
import { Coordination } from './coordination-model.js';
import { EventWindow } from './event-window.js';
import { EventBook } from './intelligence-model.js';
import { type LastResort } from './last-resort.js';
import { OperationsLedger } from './operations-model.js';
import { PleasureWatch } from './pleasure-model.js';
import { firstStanding, type Standing } from './policy-model.js';
import { ReadingsBox } from './readings-box.js';
import { type UnitCycle } from './unit-model.js';
import { SignalTraces } from './signal-traces.js';
import { UsageWindow } from './usage-model.js';

const FIVE_MINUTES = 300_000;

export class ViabilityState {
  /** Written by the algedonic channel. */
  readonly alarms = new AlarmBook();
  readonly traces = new SignalTraces();
  readonly pleasures = new PleasureWatch();
  /** Filled by whoever measures, emptied by the channel. */
  readonly readings = new ReadingsBox();
  readonly lastResort: LastResort;
  /** Written by S5. The data path reads the mode. */
  policy: Standing;
  /** Attempts of clients that policy denied. Written by whoever denies. */
  readonly attempts = new EventWindow(FIVE_MINUTES);
  /** Breaches of the gateway's own invariants. Written by whoever finds one; an alarm on any. */
  readonly breaches = new EventWindow(FIVE_MINUTES);
  /** S1: demands by kind. Written by the data path, moved on by the census. */
  readonly operations = new OperationsLedger();
  /** S1: the last report of each unit. Written by the units. */
  readonly cycles = new Map<string, UnitCycle>();
  /** S2: flaps, pace, probes. Used by whoever has to wait for its turn. */
  readonly coordination = new Coordination();
  /** S3: how near the resources are to their limits. Written by it. */
  readonly usage = new UsageWindow();
  /** S3: steps of drains that it was told of. */
  drainSteps = 0;
  /** S3*: its last findings, and how many it has had. Written by it. */
  readonly findings: Finding[] = [];
  audits = 0;
  /** S4: how much better than the naive forecast it is, by unit. Written by it. */
  readonly skills = new Map<string, number | null>();
  /** S4: what was out of the ordinary or has changed. */
  readonly events = new EventBook();

  constructor(now: number, lastResort: LastResort) {
    this.policy = firstStanding(now);
    this.lastResort = lastResort;
  }
}
