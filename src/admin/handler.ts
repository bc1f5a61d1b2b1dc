/** What the admin endpoint and its consoles' connections agree on: the handler of requests, and their bounds. */
import type { AdminReply, AdminRequest } from './protocol.js';

export interface AdminContext {
  /** Aborts when the console is gone, the stream was cancelled or the server closes. */
  readonly signal: AbortSignal;
  /** Sends an event of a followed stream. Held back until the request is answered; never blocks, never throws. */
  readonly emit: (event: unknown) => void;
}

/** Answers one request. A rejection is answered with `internal_error` and reported. */
export type AdminHandler = (request: AdminRequest, context: AdminContext) => Promise<AdminReply>;

export interface AdminLimits {
  /** Longest request line, bytes. */
  readonly maxLineBytes: number;
  /** Consoles connected at once; one more is told so and closed. */
  readonly maxConnections: number;
  /** Requests and streams of one console in flight. */
  readonly maxInFlight: number;
  /** Bytes waiting for one console past which events are held back and its requests are no longer read. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_ADMIN_LIMITS: AdminLimits = {
  maxLineBytes: 1_048_576,
  maxConnections: 32,
  maxInFlight: 64,
  maxBufferedBytes: 4_194_304,
};
