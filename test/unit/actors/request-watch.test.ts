/** A request's span ends when its histogram says that it did: both are told by one reading of the clock. */
import assert from 'node:assert/strict';
import { CallReplies } from '#src/actors/call-replies.js';
import { type Call } from '#src/actors/call.js';
import { RequestWatch } from '#src/actors/request-watch.js';
import { type DataPlane } from '#src/actors/data-plane.js';
import { type Durations } from '#src/telemetry/metrics/operations.js';
import { type CallTrace } from '#src/telemetry/tracing/call-trace.js';

describe('actors/request-watch', () => {
  let seconds: number[];
  let times: { began: number; received: number; ended: number };
  let watch: RequestWatch;
  let replies: CallReplies;
  const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up__echo' } } as const;

  beforeEach(() => {
    seconds = [];
    times = { began: Number.NaN, received: Number.NaN, ended: Number.NaN };
    const trace: CallTrace = {
      recorded: true,
      event: () => undefined,
      measured: () => undefined,
      sent: () => null,
      received: (at) => (times.received = at),
      ended: (at) => (times.ended = at),
    };
    const operations = { record: (...[, , , , took]: [string, string, string, string | null, number]) => void seconds.push(took) }; // prettier-ignore
    const durations = { server: operations, client: operations } as unknown as Durations;
    const tracing = {
      begin: (...[, , , at]: [unknown, unknown, unknown, number]) => {
        times.began = at;
        return trace;
      },
    };
    watch = new RequestWatch({ tracing, counters: { durations } } as unknown as DataPlane);
    replies = new CallReplies('up', durations, () => 'tcp');
    watch.begin(request, undefined);
  });

  const inSeconds = (from: number, to: number): number[] => [(to - from) / 1_000];

  it('of what is answered at once', () => {
    watch.settle(false);
    assert.deepEqual(seconds, inSeconds(times.began, times.ended));
  });

  it('of a call', () => {
    const { startedAt, trace } = watch;
    const call = { method: request.method, params: request.params, target: 'up__echo', startedAt, trace } as unknown as Call; // prettier-ignore
    replies.sent(call);
    replies.cancelled(call);
    assert.deepEqual(seconds.splice(0), inSeconds(call.sentAt, times.received));
    watch.ended(call, null);
    assert.deepEqual(seconds, inSeconds(times.began, times.ended));
  });
});
