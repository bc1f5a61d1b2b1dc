/** What consoles see of authentication and limits. Counts since the start; times in milliseconds since the epoch. */

export interface AuthSnapshot {
  readonly mode: 'off' | 'optional' | 'required';
  readonly tokens: {
    /** Verified tokens that are remembered now. */
    readonly cached: number;
    readonly hits: number;
    readonly misses: number;
    /** hits / (hits + misses); `null` before the first token. */
    readonly hitRatio: number | null;
    readonly accepted: number;
    readonly revoked: number;
  };
  /** Failed logins by reason. */
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
  /** Requests refused by a limit, `role:guest`, `tool:github__*`. */
  readonly limited: readonly { readonly limit: string; readonly count: number }[];
  /** Subjects and addresses whose requests are being counted. */
  readonly limitKeys: number;
  readonly tickets: { readonly issued: number; readonly open: number };
  readonly issuers: readonly IssuerSnapshot[];
}

/** Somebody else whose tokens are taken, and how its keys are. */
export interface IssuerSnapshot {
  readonly issuer: string;
  /** `null`: never fetched. */
  readonly keys: number | null;
  readonly fetchedAt: number | null;
  readonly lastError: string | null;
}
