/** The options of a changed configuration, as far as a running gateway can take them over. */
import { type GatewayOptions } from '../config/types.js';

/** What needs a restart stays as it was at the start. */
export function reconfigured(before: GatewayOptions, next: GatewayOptions): GatewayOptions {
  const { listen, admin } = before;
  const { mode, revocations } = before.auth;
  const { enabled, refreshInterval } = before.dashboard;
  return {
    ...next,
    listen,
    admin,
    auth: { ...next.auth, mode, revocations },
    dashboard: { ...next.dashboard, enabled, refreshInterval },
  };
}
