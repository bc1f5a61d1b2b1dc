/** Size caps that every outbound adapter keeps. All in bytes. */
export interface TransportLimits {
  /** The largest message accepted from the peer: a line, a JSON body, one SSE event, one WebSocket message. */
  readonly maxMessageBytes: number;
  /** `send` refuses while at least this much waits to be written. One message may go past it. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  maxMessageBytes: 16 * 1024 * 1024,
  maxBufferedBytes: 8 * 1024 * 1024,
};

/** The caps in `options`, defaults where it has none. */
export function resolveLimits(options: Partial<TransportLimits>): TransportLimits {
  return {
    maxMessageBytes: options.maxMessageBytes ?? DEFAULT_LIMITS.maxMessageBytes,
    maxBufferedBytes: options.maxBufferedBytes ?? DEFAULT_LIMITS.maxBufferedBytes,
  };
}
