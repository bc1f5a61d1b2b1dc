/** What the audit log keeps of a tool call. Pure. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type AuditEvent } from '../audit/event.js';
import { type Principal } from '../auth/principal.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { stripControl } from '../protocol/text.js';

const MAX_NAME = 256;

/** The part of a call that the log is about. */
export interface AuditedCall {
  readonly params: JsonObject;
  readonly gate: { readonly name: string };
  readonly caller: { readonly principal: Principal };
}

/** `ms`: from its arrival to its answer; `null` when it never left. */
export function toolCallEvent(call: AuditedCall, outcome: string, ms: number | null, hash: boolean): AuditEvent {
  const { params, gate } = call;
  const { key, role } = call.caller.principal;
  return {
    type: 'tool_call',
    outcome,
    principal: key,
    role,
    server: gate.name,
    tool: stripControl(String(params['name']), MAX_NAME),
    ...(ms !== null && { ms: Math.round(ms * 1_000) / 1_000 }),
    ...(hash && { argumentsHash: hashOf(params['arguments'] ?? {}) }),
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
