/** What a program gives a gateway: to make it, to stop it, to route a message. */
import { type Role } from '../auth/principal.js';
import { type LoadResult, type Config } from '../config/index.js';
import { type Predecessor } from '../handover/predecessor.js';
import { type Clock } from '../kernel/index.js';
import { type DrainOutcome } from '../machines/drain.js';
import { type JsonRpcNotification } from '../protocol/jsonrpc.js';
import { type LogOutput } from '../telemetry/logger.js';

/** What a gateway is made with. */
export interface GatewayOptions {
  /** From `loadConfig` or `demoConfig`. */
  readonly config: Config;
  /** Reads the configuration again, for a reload. Absent: `config` is all there is. */
  readonly reload?: () => Promise<LoadResult>;
  /** Where it logs, from `createLog`. Default: JSON lines on stderr at the configured level. */
  readonly log?: LogOutput;
  /** Show the terminal dashboard. Default false. */
  readonly dashboard?: boolean;
  /** The process that this one takes over from. */
  readonly predecessor?: Predecessor | null;
  /** Default: that of the system. */
  readonly clock?: Clock;
  /** From 0 to below 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** How a graceful shutdown goes. */
export interface ShutdownOptions {
  /** Milliseconds that work in flight may take. Default `gateway.draining.defaultTimeout`. */
  readonly timeout?: number;
  /** Called with how it ended, before the promise resolves. */
  readonly callback?: (outcome: DrainOutcome) => void;
}

/** A user whom the program has authenticated itself. */
export interface TrustedUser {
  /** Who it is: limits, policy and the audit log know the user by this name, as by the `sub` of a token. */
  readonly subject: string;
  /** Default `user`. */
  readonly role?: Role;
  /** For policy rules and for tools that ask for one. Default none. */
  readonly permissions?: readonly string[];
}

/** How a message is routed. */
export interface RouteOptions {
  /** A token of the user's. It is verified, and must be of the subject that is named; role and permissions are the token's. */
  readonly authToken?: string;
  /** The trace that the message continues, as `Tracing.injectTraceContext()` writes it: W3C `traceparent` and the like. */
  readonly traceContext?: Readonly<Record<string, unknown>>;
  /** The endpoint that it is sent to: `/mcp` (default), `/mcp/s/<upstream>` or `/mcp/t/<toolset>`. */
  readonly route?: string;
  /** Cancels the call; it is answered with the error `cancelled_by_gateway`. */
  readonly signal?: AbortSignal;
  /** Hears what the server says during the call: progress, log messages. */
  readonly onNotification?: (notification: JsonRpcNotification) => void;
}
