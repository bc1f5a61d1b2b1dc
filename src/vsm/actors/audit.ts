/**
 * S3*, audit: looks at operations directly, when nobody expects it, past what they report of themselves.
 *
 * Parent: viability. Restart: permanent. At exponential intervals it visits an upstream over a connection of its own and
 * compares; every so often it reconciles the gateway's own books. Discrepancies go to S3; broken books are algedonic.
 */
import { CONTROL } from '../../actors/names.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { brokenLedgers, compare, type Finding, type Ledgers, nextLook, type Sight } from '../audit-model.js';
import { type UnitCycle } from '../unit-model.js';
import { type AuditMessage } from './messages.js';

export interface AuditDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly random: () => number;
  /** Upstreams that may be visited now. */
  readonly candidates: () => readonly string[];
  /** A direct look. Never rejects. */
  readonly visit: (name: string, signal: AbortSignal) => Promise<Sight>;
  readonly ledgers: () => Ledgers;
}

const LEDGERS_MS = 5_000;
/** Looks in a row at books that do not agree, before that is pain: one may be in the midst of a change. */
const BROKEN_LOOKS = 2;
const KEPT = 50;

export function audit(deps: AuditDeps) {
  return (context: ActorContext<AuditMessage>): Behavior<AuditMessage> => new Audit(deps, context);
}

class Audit implements Behavior<AuditMessage> {
  readonly #deps: AuditDeps;
  readonly #context: ActorContext<AuditMessage>;
  readonly #reports = new Map<string, UnitCycle>();
  /** Visits that run. One a unit at most. */
  readonly #visits = new Set<string>();
  #broken = 0;

  constructor(deps: AuditDeps, context: ActorContext<AuditMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#again();
    context.after(LEDGERS_MS, { type: 'audit/ledgers' });
  }

  handle(message: AuditMessage): void {
    switch (message.type) {
      case 'audit/reported':
        if (message.cycle.unit.startsWith(UPSTREAM)) this.#reports.set(message.cycle.unit, message.cycle);
        return;
      case 'audit/due':
        this.#visitOne();
        return this.#again();
      case 'audit/look':
        return this.#visit(message.unit.slice(UPSTREAM.length));
      case 'audit/seen':
        return this.#seen(message.finding);
      case 'audit/ledgers':
        this.#reconcile();
        this.#context.after(LEDGERS_MS, { type: 'audit/ledgers' });
        return;
    }
  }

  get #on(): boolean {
    const { enabled, audit: options } = this.#deps.plane.options.vsm;
    return enabled && options.enabled;
  }

  #visitOne(): void {
    const candidates = this.#deps.candidates();
    const name = candidates[Math.floor(this.#deps.random() * candidates.length)];
    if (name !== undefined) this.#visit(name);
  }

  #visit(name: string): void {
    if (!this.#on || this.#visits.has(name) || !this.#deps.candidates().includes(name)) return;
    this.#visits.add(name);
    const unit = `${UPSTREAM}${name}`;
    const { latencyFactor } = this.#deps.plane.options.vsm.audit;
    void this.#deps.visit(name, this.#context.signal).then((sight) => {
      this.#visits.delete(name);
      const finding = compare(unit, sight, this.#reports.get(unit) ?? null, latencyFactor, this.#context.clock.now());
      this.#context.self.tell({ type: 'audit/seen', finding });
    });
  }

  #seen(finding: Finding): void {
    const { plane, system, log } = this.#deps;
    const { findings } = plane.viability;
    findings.push(finding);
    if (findings.length > KEPT) findings.shift();
    plane.viability.audits += 1;
    for (const discrepancy of finding.discrepancies)
      log.warn({ event: 'audit_discrepancy', unit: finding.unit }, `${finding.unit}: ${discrepancy}`);
    system.whereis(CONTROL)?.tell({ type: 'control/audited', finding });
  }

  #reconcile(): void {
    if (!this.#on) return;
    const { plane, ledgers, log } = this.#deps;
    const broken = brokenLedgers(ledgers());
    this.#broken = broken.length === 0 ? 0 : this.#broken + 1;
    if (this.#broken === BROKEN_LOOKS) {
      plane.viability.breaches.add(this.#context.clock.now());
      log.error({ event: 'ledger_broken', broken }, 'the books do not agree');
    }
    plane.algedonic.report({
      source: 'audit',
      index: 'ledger_broken',
      value: this.#broken >= BROKEN_LOOKS ? 1 : 0,
      pain: 0.5,
      agony: 1,
      message: broken.length === 0 ? 'the books agree' : `the books do not agree: ${broken.join('; ')}`,
    });
  }

  #again(): void {
    const { meanInterval } = this.#deps.plane.options.vsm.audit;
    this.#context.after(nextLook(meanInterval, this.#deps.random), { type: 'audit/due' });
  }
}

const UPSTREAM = 'upstream:';
