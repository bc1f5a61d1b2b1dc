/** What the actors of the viable system take. */
import { type ReplyTo } from '../../kernel/index.js';
import { type DrainOutcome, type DrainPhase } from '../../machines/drain.js';
import { type Alarm } from '../alarms-model.js';
import { type Mode, type Standing } from '../policy-model.js';
import { type Advice } from '../intelligence-model.js';
import { type UnitCycle } from '../unit-model.js';
import { type Finding } from '../audit-model.js';

/** The algedonic channel. */
export type AlgedonicMessage =
  /** Urgent: readings wait in the box. */
  | { readonly type: 'algedonic/readings' }
  /** What was reported beside something critical. */
  | { readonly type: 'algedonic/rest' }
  | { readonly type: 'algedonic/tick' }
  | {
      readonly type: 'alarm/acknowledge';
      readonly id: number;
      readonly by: string;
      /** `null`: no signal that lives has this id. */
      readonly replyTo?: ReplyTo<Alarm | null>;
    };

/** S5. */
export type PolicyMessage =
  /** Urgent: a signal that is S5's to decide on, critical or escalated. */
  | { readonly type: 'policy/alarm'; readonly alarm: Alarm }
  | { readonly type: 'policy/alarm-cleared'; readonly alarm: Alarm }
  /** S3 has turned down S4's advice about a unit three cycles running. */
  | { readonly type: 'policy/dispute'; readonly unit: string; readonly advised: number; readonly granted: number }
  | { readonly type: 'policy/tick' }
  | { readonly type: 'policy/set-mode'; readonly mode: Mode; readonly replyTo?: ReplyTo<Standing> };

/** S3. */
export type ControlMessage =
  /** Urgent: a signal that its unit could not end in its time. */
  | { readonly type: 'control/alarm'; readonly alarm: Alarm }
  /** Urgent: a unit does better than it was thought able to. */
  | { readonly type: 'control/pleasure'; readonly source: string; readonly index: string }
  | DrainStep
  /** S1's report of itself. */
  | { readonly type: 'control/reported'; readonly cycle: UnitCycle }
  /** S4's word on what comes. */
  | { readonly type: 'control/advised'; readonly advice: Advice }
  /** S3*'s own look at a unit. */
  | { readonly type: 'control/audited'; readonly finding: Finding }
  /** S5 has decided between S3 and S4 about a unit. */
  | { readonly type: 'control/ruled'; readonly unit: string; readonly favour: 'control' | 'intelligence' }
  | { readonly type: 'control/cycle' }
  | { readonly type: 'control/look' };

/** S4. */
export type IntelligenceMessage =
  | { readonly type: 'intelligence/observed'; readonly cycle: UnitCycle }
  /** Something outside has changed that no unit reports: a key was rotated, a node has come. */
  | { readonly type: 'intelligence/environment'; readonly source: string; readonly what: string }
  /** A unit does better than it was thought able to. */
  | { readonly type: 'intelligence/pleasure'; readonly source: string };

/** S3*. */
export type AuditMessage =
  | { readonly type: 'audit/due' }
  /** S3 wants to know about this unit now. */
  | { readonly type: 'audit/look'; readonly unit: string }
  | { readonly type: 'audit/reported'; readonly cycle: UnitCycle }
  | { readonly type: 'audit/seen'; readonly finding: Finding }
  | { readonly type: 'audit/ledgers' };

/** S2. */
export type CoordinationMessage = { readonly type: 'coordination/tick' };

/** An S1 unit. */
export type UnitMessage = { readonly type: 'unit/cycle' };

export type CensusMessage = { readonly type: 'census/tick' };

/** A drain has moved on. `target` absent: the gateway as a whole; else `upstream:github`, `session:<id>` … */
export interface DrainStep {
  readonly type: 'control/drain-step';
  readonly target?: string;
  readonly phase: DrainPhase;
  /** How it ends; `null` while that is open. */
  readonly outcome: DrainOutcome | null;
  readonly connectionsLeft: number;
  readonly inFlight: number;
  readonly deadlineAt: number;
}
