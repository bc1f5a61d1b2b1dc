/** What the pool of an upstream is told. */
import { type ExitReason, type ReplyTo } from '../kernel/index.js';
import { type Ledger } from '../machines/pool.js';
import { type UpstreamSessionMessage } from './call.js';
import { type Lease } from './lease.js';
import { type UpstreamSessionEvent } from './upstream-session.js';

/** From leases. */
export type PoolRequest =
  /** Sent over a lease that has no worker now. */
  | { readonly type: 'pool/send'; readonly lease: Lease; readonly message: UpstreamSessionMessage }
  /** Nobody uses the lease any more. */
  | { readonly type: 'pool/return'; readonly lease: Lease };

/** `left`: sessions that had calls to finish when the drain began. */
export interface PoolDrained {
  readonly left: number;
}

export type PoolMessage =
  | PoolRequest
  /** What sessions say that clients share. */
  | UpstreamSessionEvent
  | { readonly type: 'worker/down'; readonly worker: number; readonly reason: ExitReason }
  | { readonly type: 'shared/down'; readonly path: string }
  /** Time to look at deadlines and idle workers. */
  | { readonly type: 'pool/tick' }
  | { readonly type: 'pool/idle-check' }
  | { readonly type: 'pool/reconfigured' }
  /** The upstream takes calls: what is kept ready is started. */
  | { readonly type: 'pool/upstream-ready' }
  /** Ends every session at once: an operator has disabled or reconnected the upstream. */
  | { readonly type: 'pool/flush'; readonly reason: string }
  /** No new checkouts; each session ends when its calls have been answered. Replies when none is left. */
  | { readonly type: 'pool/drain'; readonly replyTo?: ReplyTo<PoolDrained> }
  /** Takes a drain back. Replies with what is given out now. */
  | { readonly type: 'pool/resume'; readonly replyTo?: ReplyTo<Ledger> };
