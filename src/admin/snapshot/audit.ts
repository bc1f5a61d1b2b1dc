/** What consoles see of the audit log. `null` in the snapshot: there is none. */
export interface AuditSnapshot {
  /** Absolute path of the current file. */
  readonly path: string;
  /** Lines written since the start of this process. */
  readonly written: number;
  /** Events that wait for the disk. */
  readonly waiting: number;
  /** Events that did not fit the queue. */
  readonly dropped: number;
  /** Why the last attempt to write failed; `null` when it did not. */
  readonly trouble: string | null;
  /** Where the chain stands. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
}
