/** What consoles see of the viable system, put together from its memory without asking anybody. */
import { type AlarmsSnapshot, type VsmSnapshot } from '../admin/snapshot/vsm.js';
import { type DataPlane } from './data-plane.js';

export function alarmsSnapshot({ viability }: DataPlane): AlarmsSnapshot {
  return {
    active: viability.alarms.active(),
    history: viability.alarms.history(),
    lastResort: viability.lastResort.all(),
    overflow: viability.alarms.overflow + viability.readings.dropped,
  };
}

export function vsmSnapshot({ viability }: DataPlane): VsmSnapshot {
  return { policy: viability.policy };
}
