/**
 * What supervisors and cells report, as typed events (OTP's supervisor and crash reports). Listeners are called
 * synchronously and must not throw; logs, metrics and alarms are listeners.
 */
import { type ExitReason } from './ref.js';

export type Report =
  | { readonly type: 'child/started'; readonly path: string; readonly incarnation: number }
  | {
      readonly type: 'child/terminated';
      readonly path: string;
      readonly incarnation: number;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'child/restarted';
      readonly path: string;
      readonly incarnation: number;
      readonly reason: ExitReason;
    }
  | { readonly type: 'child/start-failed'; readonly path: string; readonly error: Error }
  /** It did not stop within its time and was left behind; whatever it still does reaches nobody. */
  | { readonly type: 'child/abandoned'; readonly path: string; readonly incarnation: number; readonly afterMs: number }
  | {
      readonly type: 'supervisor/intensity-exceeded';
      readonly path: string;
      readonly restarts: number;
      readonly withinMs: number;
    }
  /** An error after the actor's fate was sealed: in `terminate`, or in a message handled by an abandoned actor. */
  | { readonly type: 'actor/late-error'; readonly path: string; readonly error: Error };

export type ReportListener = (report: Report) => void;
