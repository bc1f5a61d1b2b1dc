/** What the error catalogue says of one error. */

export interface ErrorEntry {
  readonly code: number;
  readonly origin: 'json-rpc' | 'mcp' | 'sdk' | 'gateway';
  /** HTTP status when the error is the whole HTTP answer; 200 where it answers a request inside a session. */
  readonly httpStatus: number;
  /** What differs where the client speaks the modern era (2026-07-28): it has no session to answer in. */
  readonly modern?: { readonly code?: number; readonly httpStatus?: number };
  /** The same request, sent again later, may succeed and cannot do harm. */
  readonly retryable: boolean;
  /** `error.message`, a detail may follow. */
  readonly message: string;
  readonly meaning: string;
  readonly remedy: string;
  /** Members of `error.data` besides `reason`. */
  readonly data?: Readonly<Record<string, string>>;
}

/** What an admin console is told when its request cannot be met; names are `AdminError.code` in `src/admin/protocol.ts`. */
export interface AdminErrorEntry {
  readonly meaning: string;
  readonly remedy: string;
}
