/** What drain actors are told, and what they tell the control actor. */
import { type DrainSnapshot, type DrainTarget } from '../../admin/protocol.js';
import { type ReplyTo } from '../../kernel/index.js';

export type { DrainOutcome } from '../../machines/drain.js';

export interface DrainRequest {
  /** Absent: the gateway. */
  readonly target?: DrainTarget;
  readonly reason: string;
  /** Milliseconds; absent: `gateway.draining.defaultTimeout`. */
  readonly timeoutMs?: number;
  /** Milliseconds of lame duck; absent: `gateway.draining.lameDuck` for the gateway, none for parts. */
  readonly graceMs?: number;
}

/** What came of a request: the drain it began or joined, or why there can be none. */
export type DrainReply = DrainSnapshot | { readonly refused: DrainRefusal };

export interface DrainRefusal {
  readonly code: 'unknown_target' | 'not_draining' | 'too_late' | 'overloaded';
  readonly message: string;
  /** The name that was given, and what there is of that kind. */
  readonly asked: string;
  readonly names: readonly string[];
}

export type DrainMessage =
  | ({ readonly type: 'drain/begin'; readonly replyTo?: ReplyTo<DrainReply> } & DrainRequest)
  | { readonly type: 'drain/force'; readonly reason: string; readonly replyTo?: ReplyTo<{ stopping: true }> }
  /** Serve again; absent: the gateway. */
  | { readonly type: 'drain/cancel'; readonly target?: DrainTarget; readonly replyTo?: ReplyTo<DrainReply> }
  | { readonly type: 'drain/look' };

/** To a drain of a part, from the gateway's. */
export type PartialDrainMessage =
  | { readonly type: 'drain/look' }
  | { readonly type: 'drain/force'; readonly replyTo?: ReplyTo<DrainSnapshot> }
  | { readonly type: 'drain/cancel'; readonly replyTo?: ReplyTo<DrainSnapshot> };

export function drainId(target: DrainTarget): string {
  switch (target.kind) {
    case 'gateway':
      return 'gateway';
    case 'upstream':
      return `upstream:${target.name}`;
    case 'session':
      return `session:${target.id}`;
    case 'principal':
      return `principal:${target.subject}`;
    case 'listener':
      return `listener:${target.id}`;
  }
}
