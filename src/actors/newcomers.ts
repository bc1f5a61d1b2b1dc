/** Whether new sessions are taken now, read from plain memory. */
import { type Principal } from '../auth/principal.js';
import { type ErrorName } from '../protocol/errors.js';
import { type ErrorReply } from '../transports/inbound/http-reply.js';
import { isAdministrator } from '../vsm/policy-model.js';
import { type DataPlane } from './data-plane.js';

export interface Closed {
  readonly name: Extract<ErrorName, 'draining' | 'lockdown' | 'too_many_sessions'>;
  readonly reply: ErrorReply;
}

/** Why no new session of this principal is taken, with what the client is to be told; `undefined` when one is. */
export function closedToNewcomers(plane: DataPlane, principal: Principal, now: number): Closed | undefined {
  const { admission, sessions, options, drainedSubjects, viability } = plane;
  if (admission.state === 'draining') return draining(admission.deadlineAt, now);
  if (drainedSubjects.size > 0 && principal.subject !== null) {
    const until = drainedSubjects.get(principal.subject);
    if (until !== undefined) return draining(until, now);
  }
  if (viability.policy.mode === 'lockdown' && !isAdministrator(principal)) {
    return { name: 'lockdown', reply: { data: { mode: 'lockdown' }, headers: { 'retry-after': '60' } } };
  }
  if (sessions.size >= options.sessions.max) {
    return { name: 'too_many_sessions', reply: { headers: { 'retry-after': '10' } } };
  }
  return undefined;
}

function draining(deadlineAt: number, now: number): Closed {
  const seconds = Math.max(1, Math.ceil((deadlineAt - now) / 1_000));
  return { name: 'draining', reply: { data: { retryAfter: seconds }, headers: { 'retry-after': String(seconds) } } };
}
