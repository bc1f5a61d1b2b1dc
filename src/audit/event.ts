/**
 * What the audit log holds: who did what, and how it ended. And the port through which every part of the gateway says so.
 *
 * No event holds a token, a header or the arguments of a call; texts from outside are stripped of control characters
 * by whoever fills them in.
 */

/** On whose behalf: `Principal.key` and its role. */
export interface AuditSubject {
  readonly principal: string;
  readonly role: string;
}

export type AuditEvent =
  /** The log itself: `started`, `stopped`, `dropped` (so many events did not fit the queue), `recovered` (a torn line was cut off). */
  | {
      readonly type: 'audit';
      readonly outcome: 'started' | 'stopped' | 'dropped' | 'recovered';
      readonly count?: number;
      readonly version?: string;
      readonly pid?: number;
    }
  | (Partial<AuditSubject> & {
      readonly type: 'authentication';
      /** `success`, or the name of the error. */
      readonly outcome: string;
      readonly transport?: string;
      readonly remote?: string;
      readonly detail?: string;
    })
  /** Something that exists was asked for and refused. */
  | (Partial<AuditSubject> & {
      readonly type: 'denial';
      /** The name of the error that the client was given. */
      readonly outcome: string;
      readonly kind: 'tool' | 'prompt' | 'resource' | 'host' | 'origin';
      readonly name: string;
      readonly server?: string;
      readonly rule?: string;
      readonly remote?: string;
    })
  /** A console's command that changes something. */
  | {
      readonly type: 'admin';
      readonly outcome: 'ok' | 'refused';
      readonly method: string;
      readonly target?: string;
      readonly detail?: string;
    }
  | { readonly type: 'policy'; readonly outcome: 'changed'; readonly version: number; readonly digest: string }
  /** A tool's definition: seen for the first time, changed behind its pin, accepted by an operator. */
  | {
      readonly type: 'pin';
      readonly outcome: 'pinned' | 'quarantined' | 'restored' | 'accepted' | 'locked';
      readonly server: string;
      readonly tool: string;
      readonly hash: string;
    }
  | (AuditSubject & {
      readonly type: 'tool_call';
      /** `succeeded`, `failed`, `cancelled`, or the name of the error that refused it. */
      readonly outcome: string;
      readonly server: string;
      readonly tool: string;
      /** Milliseconds from its arrival to its answer; absent when it was refused. */
      readonly ms?: number;
      /** SHA-256 of the canonical arguments (RFC 8785), where the configuration asks for it. */
      readonly argumentsHash?: string;
    });

export interface AuditPort {
  /** False: nobody keeps what is recorded; spares the caller the making of it. */
  readonly enabled: boolean;
  /** Whether tool calls are to carry a hash of their arguments. */
  readonly hashArguments: boolean;
  /** Synchronous, never throws; when the queue is full the event is counted and dropped. */
  record(event: AuditEvent): void;
}

export const NO_AUDIT: AuditPort = { enabled: false, hashArguments: false, record: () => undefined };
