/** What one attack did to the gateway. Milliseconds. */
export interface AttackFigures {
  readonly attack: string;
  readonly what: string;
  /** Event-loop delay, 99th percentile of each second, measured by the gateway itself: the median second and the worst. */
  readonly delayMs: number;
  readonly worstDelayMs: number;
  /** Of honest clients beside it. */
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Honest calls that were refused or lost. */
  readonly errors: number;
  /** How the attacker was answered: statuses and close codes, with their numbers. */
  readonly answers: Readonly<Record<string, number>>;
  /** Bytes that lie unread in the gateway meanwhile, where that is the attack. */
  readonly unreadMb: number | null;
}

/** The row without an attack. */
export const NO_ATTACK = 'none';
