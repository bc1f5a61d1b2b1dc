/** What consoles see of tools and their pins. */
export interface PinningSnapshot {
  readonly mode: 'off' | 'first-sight' | 'lock';
  readonly pinned: number;
  readonly quarantined: number;
  /** Why the file of pins could not be read: then every tool is kept back. */
  readonly fault: string | null;
}

/** One tool whose definition is pinned, and whether the server still defines it so. */
export interface ToolPin {
  /** As at `/mcp`. */
  readonly name: string;
  readonly server: string;
  /** The server's own name. */
  readonly tool: string;
  readonly state: 'pinned' | 'unpinned' | 'quarantined';
  /** SHA-256 of the canonical definition that is offered now. */
  readonly hash: string;
  readonly pinnedHash: string | null;
  readonly pinnedAt: number | null;
}

/** What has changed in a tool's definition since it was pinned. */
export interface ToolDifference {
  readonly name: string;
  readonly state: ToolPin['state'];
  /** JSON texts; absent where there is nothing on that side. */
  readonly differences: readonly { readonly path: string; readonly before?: string; readonly after?: string }[];
}
