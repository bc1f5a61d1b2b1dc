/**
 * Admin requests, parsed once at the edge: one line of text becomes an `AdminRequest` with checked parameters, or the
 * error that answers it. Unknown methods get near misses; unknown parameters are refused.
 *
 * Pure. The schemas are the one place that says which parameters a method takes.
 */
import { z } from 'zod';
import { LOG_LEVELS, type AdminError, type AdminMethod, type AdminRequest } from './protocol.js';
import { FEATURE_NAMES } from './snapshot/features.js';
import { nearMisses } from './suggest.js';

/** Fastest and slowest refresh a console may ask for, milliseconds. */
export const WATCH_INTERVAL_MS = { min: 50, max: 3_600_000, default: 1_000 } as const;
/** Most log lines one request may ask for. */
export const MAX_LOG_LINES = 10_000;
/** Most traces one request may ask for. */
export const MAX_TRACES = 200;

const none = z.strictObject({});

const name = z.string().min(1).max(1_024);
export const DRAIN_TARGET = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('gateway') }),
  z.strictObject({ kind: z.literal('upstream'), name }),
  z.strictObject({ kind: z.literal('session'), id: name }),
  z.strictObject({ kind: z.literal('principal'), subject: name }),
  z.strictObject({ kind: z.literal('listener'), id: name }),
]);
/** Longest time that Node's timers can hold. */
const milliseconds = z.number().int().min(0).max(2_147_483_647);

/** Parameters of each method. */
export const ADMIN_PARAMS = {
  status: none,
  tree: none,
  connections: none,
  upstreams: none,
  /** `actor`: the path of one; all without. */
  actors: z.strictObject({ actor: name.optional() }),
  send: z.strictObject({ actor: z.string().min(1), message: z.string().min(1), args: z.unknown().optional() }),
  kill: z.strictObject({ actor: z.string().min(1), forGood: z.boolean().optional() }),
  restart: z.strictObject({ actor: z.string().min(1) }),
  drain: z.strictObject({
    target: DRAIN_TARGET.optional(),
    timeoutMs: milliseconds.optional(),
    graceMs: milliseconds.optional(),
    follow: z.boolean().optional(),
  }),
  upgrade: z.strictObject({
    exec: name.optional(),
    config: name.optional(),
    timeoutMs: milliseconds.optional(),
  }),
  'cancel-drain': z.strictObject({ target: DRAIN_TARGET.optional() }),
  'force-shutdown': none,
  logs: z.strictObject({
    lines: z.number().int().min(0).max(MAX_LOG_LINES).optional(),
    level: z.enum(LOG_LEVELS).optional(),
    follow: z.boolean().optional(),
  }),
  watch: z.strictObject({
    intervalMs: z.number().int().min(WATCH_INTERVAL_MS.min).max(WATCH_INTERVAL_MS.max).optional(),
  }),
  alarms: none,
  ack: z.strictObject({ id: z.number().int().min(1) }),
  'login-begin': z.strictObject({
    server: z.string().min(1),
    redirectUri: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}\/callback$/),
    state: z.string().min(16),
  }),
  'login-finish': z.strictObject({
    server: z.string().min(1),
    state: z.string().min(16),
    code: z.string().min(1),
    iss: z.string().optional(),
  }),
  tools: z.strictObject({ server: name.optional() }),
  'tools-diff': z.strictObject({ name: z.string().min(1) }),
  'tools-accept': z.strictObject({ name: z.string().min(1) }),
  'tools-lock': none,
  policy: none,
  'policy-check': z.strictObject({
    tool: z.string().min(1).optional(),
    prompt: z.string().min(1).optional(),
    resource: z.string().min(1).optional(),
    role: z.enum(['admin', 'premium', 'user', 'guest']).optional(),
    claims: z.record(z.string(), z.unknown()).optional(),
    subject: z.string().optional(),
    permissions: z.array(z.string()).optional(),
  }),
  'policy-mode': z.strictObject({ mode: z.enum(['normal', 'conserve', 'lockdown']).optional() }),
  features: z
    .strictObject({
      action: z.enum(['enable', 'disable']).optional(),
      name: z.enum(FEATURE_NAMES).optional(),
      windowMs: z.number().int().min(0).max(60_000).optional(),
    })
    .refine(({ action, name }) => (action === undefined) === (name === undefined), {
      error: 'give both action and name, or neither',
    }),
  traces: z.strictObject({ limit: z.number().int().min(1).max(MAX_TRACES).optional() }),
  sampling: z.strictObject({ rate: z.number().min(0).max(1).optional() }),
  cancel: z.strictObject({ id: z.number().int() }),
} as const satisfies Record<AdminMethod, z.ZodType>;

export type AdminParams<M extends AdminMethod> = z.infer<(typeof ADMIN_PARAMS)[M]>;

export type ParsedAdminRequest =
  | { readonly ok: true; readonly request: AdminRequest }
  | { readonly ok: false; readonly id: number; readonly error: AdminError };

/** One line of the wire. Never throws; the failure carries the id to answer with (0 when none could be read). */
export function parseAdminRequest(line: string): ParsedAdminRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refuse(0, 'invalid_json', 'The line is not JSON; send one JSON object a line.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(0, 'invalid_request', 'A request is one JSON object: {"id": 1, "method": "status"}.');
  }
  const { id, method, params } = value as Record<string, unknown>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
    return refuse(0, 'invalid_request', 'A request needs an integer "id".');
  }
  if (typeof method !== 'string') return refuse(id, 'invalid_request', 'A request needs a "method".');
  if (!isAdminMethod(method)) {
    const error: AdminError = {
      code: 'unknown_method',
      message: `There is no admin method ${JSON.stringify(method.slice(0, 64))}.`,
      suggestions: nearMisses(method.slice(0, 64), Object.keys(ADMIN_PARAMS)),
    };
    return { ok: false, id, error };
  }
  const checked = ADMIN_PARAMS[method].safeParse(params ?? {});
  if (!checked.success) return refuse(id, 'invalid_arguments', explain(method, checked.error));
  return { ok: true, request: { id, method, params: checked.data } };
}

function isAdminMethod(method: string): method is AdminMethod {
  return Object.hasOwn(ADMIN_PARAMS, method);
}

function refuse(id: number, code: string, message: string): ParsedAdminRequest {
  return { ok: false, id, error: { code, message } };
}

function explain(method: string, error: z.ZodError): string {
  const issues = error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return `Arguments of ${method} do not fit: ${issues.join('; ')}.`;
}
