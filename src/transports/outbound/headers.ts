/** Headers as undici takes them: names and values in turn. */
import type { TraceHeaders } from './transport.js';

/** `headers` with the trace context, in a list of its own when there is one. */
export function withHeaders(headers: string[], context: TraceHeaders | undefined): string[] {
  if (context === undefined) return headers;
  const { traceparent, tracestate, baggage } = context;
  const all = [...headers, 'traceparent', traceparent];
  if (tracestate !== undefined) all.push('tracestate', tracestate);
  if (baggage !== undefined) all.push('baggage', baggage);
  return all;
}
