/** What `viable doctor` finds out, as its command and its checks know it. */

/** `warning`: it works, and will not always. `fail`: the gateway, or a part of it, will not work. */
export type Verdict = 'ok' | 'warning' | 'fail';

export interface Finding {
  readonly verdict: Verdict;
  /** One sentence or less. Free of secrets. */
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface Check extends Finding {
  /** What was looked at: `node`, `port`, `upstream github`. */
  readonly subject: string;
}

export interface ExamineOptions {
  /** Configuration file; absent: `VIABLE_CONFIG`, or the demo. */
  readonly config?: string;
  /** Longest wait for anything that is asked over a network, milliseconds. */
  readonly timeoutMs: number;
  /** Start each stdio server and shake hands with it. */
  readonly start: boolean;
}

export interface Observer {
  /** This is being looked at now. */
  readonly begin: (subject: string) => void;
  readonly found: (check: Check) => void;
}

export function ok(message: string): Finding {
  return { verdict: 'ok', message };
}

export function warning(message: string, advice: string): Finding {
  return { verdict: 'warning', message, advice };
}

export function fail(message: string, advice: string): Finding {
  return { verdict: 'fail', message, advice };
}
