/**
 * The parts of the gateway that say who may do what and remember who did: put together here, from the configuration.
 */
import { dirname, join } from 'node:path';
import { UpstreamCredentials } from './upstream-credentials.js';
import { auditLog, type AuditView } from '../actors/audit-log.js';
import { type DataPlane } from '../actors/data-plane.js';
import { type AuditSnapshot } from '../admin/snapshot/audit.js';
import { AuditTrail } from '../audit/trail.js';
import { AuditWriter } from '../audit/writer.js';
import { Policy } from '../policy/policy.js';
import { type GatewayOptions } from '../config/types.js';
import { type Logger } from '../telemetry/logger.js';
import { PinBook } from '../pinning/pin-book.js';
import { pinKeeper } from '../actors/pin-keeper.js';
import { type Clock } from '../kernel/index.js';

export interface SecurityOptions {
  readonly plane: DataPlane;
  readonly clock: Clock;
  readonly version: string;
  readonly log: Logger;
  /** Absolute path of the configuration file; `null` without one. */
  readonly configFile: string | null;
}

export class Security {
  readonly #options: SecurityOptions;
  readonly book: PinBook;
  readonly credentials: UpstreamCredentials;
  readonly #trail: AuditTrail;
  readonly #audit: AuditView = { written: 0, trouble: null, head: null };

  constructor(options: SecurityOptions) {
    this.#options = options;
    const { audit, tools } = options.plane.options;
    this.credentials = new UpstreamCredentials(options.clock, options.plane.options.credentials.file);
    this.book = new PinBook(tools.pinning, tools.file ?? beside(options.configFile));
    this.#trail = new AuditTrail({
      enabled: audit.path !== null,
      hashArguments: audit.arguments === 'hash',
      capacity: audit.queue,
      now: () => options.clock.now(),
    });
    options.plane.audit = this.#trail;
  }

  /** `init` of each of its actors, by path. */
  inits(): Record<string, unknown> {
    const { plane, version } = this.#options;
    const { audit } = plane.options;
    const pins = pinKeeper({
      book: this.book,
      log: this.#options.log,
      algedonic: () => plane.algedonic,
    });
    return { '/operations/tool-pins': pins, ...this.#auditInits(audit, version) };
  }

  #auditInits(audit: GatewayOptions['audit'], version: string): Record<string, unknown> {
    const { plane } = this.#options;
    const { path, maxFileBytes, maxFiles, key } = audit;
    if (path === null) return {};
    return {
      '/vitals/audit-log': auditLog({
        trail: this.#trail,
        writer: new AuditWriter({ path, maxFileBytes, maxFiles, key }),
        view: this.#audit,
        algedonic: () => plane.algedonic,
        version,
      }),
    };
  }

  /** After a reload: takes over what is new in `plane.options`. */
  reconfigured(): void {
    const { plane } = this.#options;
    const next = new Policy(plane.options.policy, plane.policy.version + 1);
    if (next.digest === plane.policy.digest) return;
    plane.policy = next;
    plane.audit.record({ type: 'policy', outcome: 'changed', version: next.version, digest: next.digest });
  }

  /** Begins or ends the audit log while it runs. Returns why it cannot. The log itself says that it was ended. */
  switchAudit(on: boolean): string | undefined {
    if (this.#options.plane.options.audit.path === null) return 'no audit log is configured (gateway.audit.path)';
    if (!on) this.#trail.record({ type: 'audit', outcome: 'stopped' });
    this.#trail.enabled = on;
    return undefined;
  }

  auditSnapshot(): AuditSnapshot | null {
    const { path } = this.#options.plane.options.audit;
    if (path === null) return null;
    const { written, trouble, head } = this.#audit;
    return { path, written, waiting: this.#trail.waiting, dropped: this.#trail.dropped, trouble, head };
  }
}

/** Without a configuration file the pins live in memory. */
function beside(configFile: string | null): string | null {
  return configFile === null ? null : join(dirname(configFile), 'viable-tools.lock.json');
}
