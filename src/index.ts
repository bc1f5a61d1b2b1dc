/** The library: run the gateway inside your own process. */
export { type GatewaySnapshot } from './admin/protocol.js';
export { type FeatureName, type FeatureSnapshot } from './admin/snapshot/features.js';
export {
  type Config,
  type ConfigProblem,
  demoConfig,
  loadConfig,
  type LoadResult,
  renderProblems,
} from './config/index.js';
export { createLog, type LogOutput } from './telemetry/logger.js';
export { Gateway } from './gateway.js';
export { VERSION } from './gateway/version.js';
export { type GatewayEnd, type GatewayEvents, type GatewayListener } from './actors/announcements.js';
export { type GatewayOptions, type ShutdownOptions } from './gateway/options.js';
export { type RouteOptions, type TrustedUser } from './gateway/routed-messages.js';
export { type SpanOptions, type TraceKind, Tracing } from './telemetry/tracing/library.js';
export { type FeatureMetrics } from './gateway/features.js';
export {
  JwtAuthenticator,
  type JwtAuthenticatorOptions,
  type RefreshResult,
  type TokenOptions,
} from './auth/jwt-authenticator.js';
export { type Principal, type Role } from './auth/principal.js';
