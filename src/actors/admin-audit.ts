/** What the audit log keeps of a console's command. Pure. */
import { type AdminMethod, type AdminReply, type AdminRequest } from '../admin/protocol.js';
import { type AuditEvent } from '../audit/event.js';
import { stripControl } from '../protocol/text.js';

/** Methods that look and change nothing. A new one is recorded until it stands here. */
const READ_ONLY: ReadonlySet<AdminMethod> = new Set<AdminMethod>([
  'status',
  'tree',
  'connections',
  'upstreams',
  'actors',
  'alarms',
  'tools',
  'tools-diff',
  'policy',
  'policy-check',
  'logs',
  'watch',
  'cancel',
]);

const MAX_TEXT = 256;

export function isReadOnly(method: AdminMethod): boolean {
  return READ_ONLY.has(method);
}

/** The method, whom it was for, and why it was refused; never its other parameters, which may be secret. */
export function adminEvent({ method, params = {} }: AdminRequest, reply: AdminReply): AuditEvent {
  const target = [params['actor'], params['message'], params['server'], params['name']].filter(
    (part): part is string => typeof part === 'string',
  );
  return {
    type: 'admin',
    outcome: reply.ok ? 'ok' : 'refused',
    method,
    ...(target.length > 0 && { target: stripControl(target.join(' '), MAX_TEXT) }),
    ...(!reply.ok && { detail: reply.error.code }),
  };
}
