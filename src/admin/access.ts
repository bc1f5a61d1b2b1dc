/** Which admin requests only look, and which change something. A console that may only look is refused the others. */
import type { AdminMethod } from './protocol.js';

export type Access = 'look' | 'act';

/** Exhaustive: a new method says here what it is. */
export const ADMIN_ACCESS: Readonly<Record<AdminMethod, Access>> = {
  status: 'look',
  tree: 'look',
  connections: 'look',
  upstreams: 'look',
  actors: 'look',
  logs: 'look',
  traces: 'look',
  watch: 'look',
  cancel: 'look',
  send: 'act',
  kill: 'act',
  restart: 'act',
  drain: 'act',
  'cancel-drain': 'act',
  upgrade: 'act',
  'force-shutdown': 'act',
  features: 'act',
  sampling: 'act',
  alarms: 'look',
  ack: 'act',
  'policy-mode': 'act',
  policy: 'look',
  'policy-check': 'look',
  tools: 'look',
  'tools-diff': 'look',
  'tools-accept': 'act',
  'tools-lock': 'act',
  'login-begin': 'act',
  'login-finish': 'act',
};
