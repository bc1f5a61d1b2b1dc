/**
 * A lease: the address at which those who share a worker of an upstream's pool reach it. Plain memory.
 *
 * A call that is sent to a lease goes straight to its worker; while there is none, it goes to the pool, which keeps it until
 * a worker is free. So a worker that dies is replaced under the same address, and nobody who holds a worker asks the pool
 * for anything.
 *
 * Invariant: `members` act for one principal, and if more than one client is in it they said so (`sharing: principal`).
 */
import { type Principal } from '../auth/principal.js';
import { type Ref, type SendResult } from '../kernel/index.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type CallEvent, type ServerEvent, type UpstreamSessionMessage } from './call.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Whom a server may speak to over a worker. */
export type LeaseMember = Ref<CallEvent | ServerEvent>;

export interface LeaseTerms {
  /** Workers that served this key serve no other: see `machines/pool.ts`. */
  readonly key: string;
  /** Whether the worker may serve the same key again. */
  readonly reusable: boolean;
  /** What the server may ask of the client, as the client declared it. */
  readonly capabilities: JsonObject;
  readonly info: JsonObject | undefined;
  /** Several clients of one principal may be behind it: a server's question goes to the one whose call runs. */
  readonly joint: boolean;
}

export class Lease implements Ref<UpstreamSessionMessage> {
  readonly incarnation = 1;
  readonly terms: LeaseTerms;
  readonly members = new Set<LeaseMember>();
  /** Written by the pool. */
  worker: Ref<UpstreamSessionMessage> | null = null;
  /** Whether everything that was sent over it has ended. Written when it is given back. */
  clean = true;
  readonly #gate: UpstreamGate;

  constructor(gate: UpstreamGate, terms: LeaseTerms) {
    this.#gate = gate;
    this.terms = terms;
  }

  get path(): string {
    return this.worker?.path ?? `lease:${this.#gate.name}`;
  }

  /** Somebody uses it. */
  get alive(): boolean {
    return this.members.size > 0;
  }

  get backlog(): number {
    return this.worker?.backlog ?? 0;
  }

  tell(message: UpstreamSessionMessage): SendResult {
    const worker = this.worker;
    if (worker?.alive) return worker.tell(message);
    return this.#gate.pool?.tell({ type: 'pool/send', lease: this, message }) ?? 'noproc';
  }

  urgent(message: UpstreamSessionMessage): SendResult {
    const worker = this.worker;
    if (worker?.alive) return worker.urgent(message);
    return this.#gate.pool?.urgent({ type: 'pool/send', lease: this, message }) ?? 'noproc';
  }

  answer(message: UpstreamSessionMessage): SendResult {
    const worker = this.worker;
    if (worker?.alive) return worker.answer(message);
    return 'noproc'; // whoever asked is gone
  }

  accept(message: UpstreamSessionMessage): SendResult {
    return this.tell(message);
  }

  join(member: LeaseMember): this {
    this.members.add(member);
    return this;
  }

  /** The last one to leave gives the worker back. `clean`: nothing of what was begun goes on in it. */
  leave(member: LeaseMember, clean = true): void {
    if (!this.members.delete(member)) return;
    // Those who share a worker knowingly share what goes on in it.
    this.clean &&= clean || this.terms.joint;
    if (this.members.size > 0) return;
    if (this.#gate.jointLeases.get(this.terms.key) === this) this.#gate.jointLeases.delete(this.terms.key);
    this.#gate.pool?.answer({ type: 'pool/return', lease: this });
  }
}

/** What is known of a client that may need a worker. */
export interface Lessee {
  readonly member: LeaseMember;
  readonly principal: Principal;
  /** What a server may ask of it. */
  readonly capabilities: JsonObject;
  readonly info: JsonObject | undefined;
  /** It stays, with what the server knows of it, from call to call; otherwise it is one call. */
  readonly session: boolean;
}

/** Whether such a client may not use the session that all share. `askable`: it declared what servers can ask. */
export function needsLease({ sharing, era }: UpstreamGate, askable: boolean): boolean {
  switch (sharing) {
    case 'shared':
      return false;
    case 'auto':
      return askable && era === 'legacy';
    case 'session':
    case 'principal':
      return era === 'legacy';
  }
}

/** A lease that the client is a member of. Its worker comes with the first call. */
export function leaseFor(gate: UpstreamGate, lessee: Lessee): Lease {
  const { principal, member, session, capabilities, info } = lessee;
  const own = { capabilities, info, joint: false };
  // Who is nobody in particular shares with nobody.
  if (gate.sharing === 'principal' && principal.subject !== null) return jointLease(gate, principal).join(member);
  if (session || gate.sharing !== 'auto') {
    const key = `client ${(gate.leasesMade += 1)}`;
    return new Lease(gate, { ...own, key, reusable: false }).join(member);
  }
  // One call among many of a principal whose state the server may mix, but which can be asked over it.
  const key = `call ${JSON.stringify([principal.key, capabilities, info])}`;
  return new Lease(gate, { ...own, key, reusable: true }).join(member);
}

function jointLease(gate: UpstreamGate, principal: Principal): Lease {
  const key = `principal ${principal.key}`;
  const known = gate.jointLeases.get(key);
  if (known) return known;
  const made = new Lease(gate, { key, reusable: true, capabilities: {}, info: undefined, joint: true });
  gate.jointLeases.set(key, made);
  return made;
}
