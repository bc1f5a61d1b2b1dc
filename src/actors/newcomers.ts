/** Whether the gateway takes a new client now. Plain memory reads. */
import { type RequestTransport } from '../admin/protocol.js';
import { type Principal } from '../auth/principal.js';
import { type Clock } from '../kernel/index.js';
import { type ErrorName } from '../protocol/errors.js';
import { type ParsedFrame } from '../protocol/parse.js';
import { type ErrorReply } from '../transports/inbound/http-reply.js';
import { isAdministrator } from '../vsm/policy-model.js';
import { retryAfterOf, transportTrouble } from './admission.js';
import { type BreakerGate, NO_TOKEN } from './breaker-gate.js';
import { type DataPlane } from './data-plane.js';

export interface Closed {
  readonly name: ErrorName;
  readonly reply: ErrorReply;
}

/** Why this principal gets no new session over this transport, with what it is to be told; `undefined` when it does. */
export function closedTo(
  { admission, sessions, options, viability, breakers, drainedSubjects }: DataPlane,
  clock: Clock,
  principal: Principal,
  transport: RequestTransport,
): Closed | undefined {
  if (admission.state === 'draining') return closed('draining', secondsUntil(admission.deadlineAt, clock));
  if (drainedSubjects.size > 0 && principal.subject !== null) {
    const until = drainedSubjects.get(principal.subject);
    if (until !== undefined) return closed('draining', secondsUntil(until, clock));
  }
  if (viability.policy.mode === 'lockdown' && !isAdministrator(principal)) {
    return { name: 'lockdown', reply: { data: { mode: 'lockdown' }, headers: { 'retry-after': '60' } } };
  }
  if (sessions.size >= options.sessions.max) {
    return { name: 'too_many_sessions', reply: { headers: { 'retry-after': '10' } } };
  }
  const breaker = breakers[transport];
  if (!breaker.refuses) return undefined;
  breaker.refused += 1;
  return closed('breaker_open', retryAfterOf(breaker, clock), transportTrouble(transport), { transport });
}

/**
 * What a request is told in the quiet period of a drain; `undefined` when it may run, or is none.
 * @param until the end of that period; `null`: there is none
 */
export function tooLate(until: number | null, clock: Clock, frame: ParsedFrame): ErrorReply | undefined {
  if (until === null || frame.kind !== 'request') return undefined;
  const { reply } = closed('draining', secondsUntil(until, clock), 'it takes no more requests');
  return { ...reply, id: frame.message.id };
}

/**
 * A newcomer was let in: whether it could be served. `token` is what its transport's breaker gave for it. Without one, a
 * failure is counted where it is reported: see `countTransportFailure`.
 */
export function begun(breaker: BreakerGate, token: number, served: boolean): void {
  breaker.count(served ? 'success' : token === NO_TOKEN ? 'neutral' : 'failure', token);
}

function secondsUntil(at: number, clock: Clock): number {
  return Math.max(1, Math.ceil((at - clock.now()) / 1_000));
}

function closed(
  name: ErrorName,
  retryAfter: number,
  detail?: string,
  data?: Readonly<Record<string, unknown>>,
): Closed {
  const reply = { data: { ...data, retryAfter }, headers: { 'retry-after': String(retryAfter) } };
  return { name, reply: detail === undefined ? reply : { ...reply, detail } };
}
