/** What the measurement of alarms yields, and the medians of several of them. Pure. */
import { median } from './stats.js';

/** Milliseconds from a cause, under a flood: to S5's decision, and to what a dashboard reads. */
export type AlarmFigures = Readonly<
  Record<'alarms' | 'decidedP50Ms' | 'decidedP99Ms' | 'shownP50Ms' | 'shownP99Ms', number>
>;

export function medianAlarms(rounds: readonly AlarmFigures[]): AlarmFigures {
  const of = (pick: (round: AlarmFigures) => number): number => median(rounds.map(pick));
  return {
    alarms: of((round) => round.alarms),
    decidedP50Ms: of((round) => round.decidedP50Ms),
    decidedP99Ms: of((round) => round.decidedP99Ms),
    shownP50Ms: of((round) => round.shownP50Ms),
    shownP99Ms: of((round) => round.shownP99Ms),
  };
}
