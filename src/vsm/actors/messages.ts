/** What the actors of the viable system take. */
import { type ReplyTo } from '../../kernel/index.js';
import { type Alarm } from '../alarms-model.js';
import { type Mode, type Standing } from '../policy-model.js';

/** The algedonic channel. */
export type AlgedonicMessage =
  /** Urgent: readings wait in the box. */
  | { readonly type: 'algedonic/readings' }
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
  | { readonly type: 'policy/tick' }
  | { readonly type: 'policy/set-mode'; readonly mode: Mode; readonly replyTo?: ReplyTo<Standing> };

/** S3. */
export type ControlMessage =
  /** Urgent: a signal that its unit could not end in its time. */
  | { readonly type: 'control/alarm'; readonly alarm: Alarm }
  /** Urgent: a unit does better than it was thought able to. */
  | { readonly type: 'control/pleasure'; readonly source: string; readonly index: string }
  /** A drain has moved on. `target` absent: the gateway as a whole. */
  | { readonly type: 'control/drain-step'; readonly phase: string; readonly target?: string };
