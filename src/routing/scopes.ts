/**
 * Scopes: which part of the catalogue one endpoint serves. `null` is the aggregate, a server's name that server,
 * `t/<name>` a toolset. Unambiguous: no server's name holds a `/` (config/check-server.ts).
 *
 * Here too: what the configuration says of scopes, compiled once for each routing table. Pure.
 */
import { compileFilter, type NameFilter } from '../protocol/globs.js';

/** The scope of a toolset. */
export type ToolsetScope = `t/${string}`;

/** `null`: the aggregate; a `ToolsetScope`; any other text: the server of this name. */
export type ScopeKey = string | null;

const TOOLSET = 't/';

export function toolsetScope(name: string): ToolsetScope {
  return `${TOOLSET}${name}`;
}

/** The toolset's name, `undefined` for any other scope. */
export function toolsetOf(scope: ScopeKey): string | undefined {
  return scope?.startsWith(TOOLSET) === true ? scope.slice(TOOLSET.length) : undefined;
}

/** The path that serves the scope, for people: names are not encoded. */
export function scopePath(scope: ScopeKey): string {
  if (scope === null) return '/mcp';
  return toolsetOf(scope) === undefined ? `/mcp/s/${scope}` : `/mcp/${scope}`;
}

/** What a toolset holds, by the names and URIs of the aggregate. */
export interface Selection {
  readonly tools: NameFilter;
  readonly prompts: NameFilter;
  /** Of resources and templates. */
  readonly resources: NameFilter;
  /** What the endpoint promises, whatever is up at the moment. */
  readonly capabilities: readonly string[];
  readonly description: string | undefined;
}

export interface SearchRule {
  /** The most tools that one `find_tool` answers with. */
  readonly maxResults: number;
}

export interface ToolsetRule {
  readonly selection: Selection;
  /** `null`: its tools are listed as they are. */
  readonly search: SearchRule | null;
}

export interface ScopeRules {
  readonly toolsets: ReadonlyMap<string, ToolsetRule>;
  /** Of every scope that is no toolset. */
  readonly search: SearchRule | null;
}

export const NO_RULES: ScopeRules = { toolsets: new Map(), search: null };

/** The part of the `gateway` block that says what scopes there are. Meaning of each option: config/schema.ts. */
export interface ScopeOptions {
  readonly catalogue: { readonly search: { readonly enabled: boolean; readonly maxResults: number } };
  readonly toolsets: Readonly<Record<string, ToolsetOptions>>;
}

export interface ToolsetOptions {
  readonly tools: readonly string[];
  readonly prompts?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly search?: boolean | undefined;
}

export function compileScopeRules({ catalogue, toolsets }: ScopeOptions): ScopeRules {
  const { enabled, maxResults } = catalogue.search;
  const rules = Object.entries(toolsets).map(([name, options]): [string, ToolsetRule] => [
    name,
    { selection: compileSelection(options), search: (options.search ?? enabled) ? { maxResults } : null },
  ]);
  return { toolsets: new Map(rules), search: enabled ? { maxResults } : null };
}

function compileSelection({ tools, prompts, resources, description }: ToolsetOptions): Selection {
  return {
    tools: compileFilter({ allow: tools }),
    prompts: compileFilter({ allow: prompts ?? [] }),
    resources: compileFilter({ allow: resources ?? [] }),
    capabilities: [
      'tools',
      'logging',
      ...(prompts === undefined ? [] : ['prompts']),
      ...(resources === undefined ? [] : ['resources']),
      ...(prompts === undefined && resources === undefined ? [] : ['completions']),
    ],
    description,
  };
}
