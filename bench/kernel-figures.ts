/** What the kernel's measurement yields, and the medians of several of them. Pure. */
import { median } from './stats.js';

export interface Rate {
  /** Messages by second of wall time, millions. */
  readonly wallMps: number;
  /** Messages by second of CPU time, garbage collection included, millions: what one core does. */
  readonly cpuMps: number;
}

export interface KernelFigures {
  readonly tell: Rate;
  readonly pingPong: Rate;
  readonly fanIn: Rate;
  readonly spawnsPerSecond: number;
  readonly heapBytesPerActor: number;
  readonly rssBytesPerActor: number;
  readonly alarmP50Ms: number;
  readonly alarmP99Ms: number;
  readonly alarmMaxMs: number;
}

export function medianKernel(rounds: readonly KernelFigures[]): KernelFigures {
  const of = (pick: (round: KernelFigures) => number): number => median(rounds.map(pick));
  const rate = (pick: (round: KernelFigures) => Rate): Rate => ({
    wallMps: of((round) => pick(round).wallMps),
    cpuMps: of((round) => pick(round).cpuMps),
  });
  return {
    tell: rate((round) => round.tell),
    pingPong: rate((round) => round.pingPong),
    fanIn: rate((round) => round.fanIn),
    spawnsPerSecond: of((round) => round.spawnsPerSecond),
    heapBytesPerActor: of((round) => round.heapBytesPerActor),
    rssBytesPerActor: of((round) => round.rssBytesPerActor),
    alarmP50Ms: of((round) => round.alarmP50Ms),
    alarmP99Ms: of((round) => round.alarmP99Ms),
    alarmMaxMs: of((round) => round.alarmMaxMs),
  };
}
