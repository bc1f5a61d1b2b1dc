/** What a gateway is made with, and how it is stopped. */
import { type LoadResult, type Config } from '../config/index.js';
import { type Predecessor } from '../handover/predecessor.js';
import { type Clock } from '../kernel/index.js';
import { type DrainOutcome } from '../machines/drain.js';
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
