/** What somebody may see and use. One object stands for all who may the same, so that views are kept by it. */
export interface Access {
  /** Nothing is kept from them: they are served the plain view. */
  readonly everything: boolean;
  /** `name`: as at `/mcp`, `<prefix>__<name>`, whatever the endpoint. */
  tool(server: string, name: string): boolean;
  prompt(server: string, name: string): boolean;
  /** `uris`: all ways to write it that count. */
  resource(server: string, uris: readonly string[]): boolean;
}
