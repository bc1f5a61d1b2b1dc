/**
 * The parts of the gateway that say who may do what and remember who did: put together here, from the configuration.
 */
import { auditLog, type AuditView } from '../actors/audit-log.js';
import { type DataPlane } from '../actors/data-plane.js';
import { type AuditSnapshot } from '../admin/snapshot/audit.js';
import { AuditTrail } from '../audit/trail.js';
import { AuditWriter } from '../audit/writer.js';
import { Policy } from '../policy/policy.js';
import { type Clock } from '../kernel/index.js';

export interface SecurityOptions {
  readonly plane: DataPlane;
  readonly clock: Clock;
  readonly version: string;
}

export class Security {
  readonly #options: SecurityOptions;
  readonly #trail: AuditTrail;
  readonly #audit: AuditView = { written: 0, trouble: null, head: null };

  constructor(options: SecurityOptions) {
    this.#options = options;
    const { audit } = options.plane.options;
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
    const { path, maxFileBytes, maxFiles, key } = plane.options.audit;
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

  auditSnapshot(): AuditSnapshot | null {
    const { path } = this.#options.plane.options.audit;
    if (path === null) return null;
    const { written, trouble, head } = this.#audit;
    return { path, written, waiting: this.#trail.waiting, dropped: this.#trail.dropped, trouble, head };
  }
}
