/** What `viable init` is going to write, as its command and its makers know it. */

export const CLIENT_NAMES = {
  'claude-desktop': 'Claude Desktop',
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  vscode: 'VS Code',
  windsurf: 'Windsurf',
  other: 'a file that was named',
} as const;

export type ClientId = keyof typeof CLIENT_NAMES;

/** A file that an MCP client keeps its servers in. */
export interface ClientFile {
  readonly client: ClientId;
  /** Absolute. */
  readonly path: string;
}

export interface ReadFile extends ClientFile {
  /** Names of its servers, as they stand there. */
  readonly servers: readonly string[];
  /** Why it could not be read; one sentence. */
  readonly trouble: string | null;
}

/** An environment variable that the configuration wants. */
export interface WantedVariable {
  readonly name: string;
  /** `~/.cursor/mcp.json: github.env.GITHUB_TOKEN` */
  readonly from: string;
  /** What stood there; `null`: the client asks its user. */
  readonly value: string | null;
  /** What the client says when it asks. */
  readonly description: string | null;
}

export interface PlannedServer {
  readonly name: string;
  readonly client: ClientId;
  readonly path: string;
}

export interface SetupPlan {
  readonly files: readonly ReadFile[];
  readonly servers: readonly PlannedServer[];
  readonly variables: readonly WantedVariable[];
  /** What was renamed, left out or changed, one sentence each. */
  readonly notes: readonly string[];
  /** Of the file, by its format. */
  readonly yaml: string;
  readonly json: string;
}

export interface SetupRequest {
  /** Absolute paths; `null`: where clients usually keep them. */
  readonly files: readonly string[] | null;
  /** For projects' files and for the paths in them. */
  readonly directory: string;
  /** As it will be called, for the words in its head. */
  readonly output: string;
}
