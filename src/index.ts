/**
 * The library: run the gateway inside your own process. `Gateway` is the gateway, `JwtAuthenticator` makes its tokens,
 * `Tracing` makes spans of your own; the rest is what they take and give. Guide: docs/library.md.
 *
 * @packageDocumentation
 */
export {
  FEATURE_NAMES,
  type FeatureMetrics,
  type FeatureName,
  type FeatureSnapshot,
} from './admin/snapshot/features.js';
export { CLIENT_TRANSPORTS, REQUEST_TRANSPORTS } from './admin/protocol.js';
export type * from './snapshots.js';
export {
  type Config,
  type ConfigOverrides,
  type ConfigProblem,
  demoConfig,
  type DemoOptions,
  type Environment,
  type GatewayOptions as GatewaySettings,
  loadConfig,
  type LoadOptions,
  type LoadResult,
  type RemoteTarget,
  renderProblems,
  type ServerConfig,
  type ServerTarget,
  type StdioTarget,
} from './config/index.js';
export { type Clock, type TimerHandle } from './kernel/index.js';
export { createLog, type Logger, type LogListener, type LogOutput, type LogRing } from './telemetry/logger.js';
export { Gateway } from './gateway.js';
export { VERSION } from './gateway/version.js';
export { type GatewayEnd, type GatewayEvents, type GatewayListener } from './actors/announcements.js';
export { type GatewayOptions, type RouteOptions, type ShutdownOptions, type TrustedUser } from './gateway/options.js';
export { type DrainOutcome } from './machines/drain.js';
export type {
  JsonObject,
  JsonRpcErrorObject,
  JsonRpcFailure,
  JsonRpcId,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
  JsonRpcResult,
} from './protocol/jsonrpc.js';
export { type SpanOptions, type TraceKind, Tracing } from './telemetry/tracing/library.js';
export { type Verdict } from './auth/authenticator.js';
export { TOKEN_FAULTS, type TokenFault } from './auth/faults.js';
export {
  JwtAuthenticator,
  type JwtAuthenticatorOptions,
  type RefreshResult,
  type Secret,
  type TokenOptions,
} from './auth/jwt-authenticator.js';
export { type Principal, type Role, ROLES } from './auth/principal.js';
