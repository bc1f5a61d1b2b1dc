/** What `Gateway.getDashboardMetrics` gives, and what the events carry. Times are epoch milliseconds. */
export type {
  ClientTransport,
  ConfigState,
  ConnectionCounts,
  ConnectionSnapshot,
  DropCount,
  GatewayPhase,
  GatewaySnapshot,
  LogLine,
  ProcessFigures,
  RequestTotals,
  RequestTransport,
  SupervisionNode,
  Throughput,
  TransportErrorRate,
  UpstreamSnapshot,
  UpstreamState,
} from './admin/protocol.js';
export type * from './admin/snapshot/audit.js';
export type * from './admin/snapshot/auth.js';
export type * from './admin/snapshot/breakers.js';
export type * from './admin/snapshot/drains.js';
export type * from './admin/snapshot/figures.js';
export type * from './admin/snapshot/handover.js';
export type * from './admin/snapshot/load.js';
export type * from './admin/snapshot/policy.js';
export type * from './admin/snapshot/pool.js';
export type * from './admin/snapshot/telemetry.js';
export type * from './admin/snapshot/tools.js';
export type * from './admin/snapshot/vsm.js';
