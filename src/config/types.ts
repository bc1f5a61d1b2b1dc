/**
 * The configuration as the rest of the gateway sees it: every default filled in, every path absolute, every variable
 * expanded, and frozen to the bottom. Times are milliseconds, sizes are bytes.
 *
 * Invariant: a `Config` is only ever made by `resolve.ts`, so whoever holds one needs no checks of its own.
 */
import type { z } from 'zod';
import type { AuthMode } from './blocks/auth.js';
import type { PoolOptions } from './blocks/pool.js';
import type { gatewaySchema, viableSchema } from './schema.js';

/** `T` with every property read-only, all the way down. */
export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The `gateway` block, defaults filled in. Meaning, unit and default of each option: `schema.ts`. */
export type GatewayOptions = Omit<GatewayFileOptions, 'auth'> & { readonly auth: AuthOptions };

/** The same as the file has it. */
export type GatewayFileOptions = DeepReadonly<z.output<typeof gatewaySchema>>;
export type AuthFileOptions = GatewayFileOptions['auth'];

/** `gateway.auth` with its mode decided, and the environment's secret among the secrets. */
export type AuthOptions = Omit<AuthFileOptions, 'mode' | 'secrets'> & {
  readonly mode: AuthMode;
  /** The first one signs. */
  readonly secrets: readonly { readonly kid: string; readonly secret: string }[];
};

export { PUBLIC_KEY_ALGORITHMS } from './blocks/auth.js';
export type { AuthMode } from './blocks/auth.js';

/** When the breaker of a server, or of a transport, opens and closes. */
export type BreakerSettings = GatewayOptions['breaker'];

/** A child process that speaks MCP on stdin and stdout. */
export interface StdioTarget {
  readonly transport: 'stdio';
  /** Absolute path, or a bare name that is looked up in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Variables given to the child on top of the allowlist. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. Absent: the gateway's own working directory. */
  readonly cwd?: string;
  /** Names or globs of the gateway's own variables that the child inherits besides the allowlist. */
  readonly inheritEnv: readonly string[];
}

/** A server that is reached over the network. */
export interface RemoteTarget {
  /** `http` is Streamable HTTP, `sse` is HTTP+SSE (2024-11-05), `ws` is WebSocket. */
  readonly transport: 'http' | 'sse' | 'ws';
  /** Absolute URL; http(s) for `http` and `sse`, ws(s) for `ws`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a server is reached: a process that is started, or an address. */
export type ServerTarget = StdioTarget | RemoteTarget;

/** `viable.auth`; meaning of each member: blocks/upstream-auth.ts. */
export type UpstreamAuthOptions = DeepReadonly<NonNullable<z.output<typeof viableSchema>['auth']>>;

/** One upstream server. */
export interface ServerConfig {
  /** The key in `mcpServers`, as written. */
  readonly name: string;
  readonly target: ServerTarget;
  /** Takes the place of the name in `<server>__<tool>`. Absent: the name. */
  readonly prefix?: string;
  /** Globs on the server's own tool names. A tool is served when it matches `allow` (if given) and not `deny`. */
  readonly filter: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly timeouts: {
    /** From spawn or connect to the end of the handshake. */
    readonly connect: number;
    /** From a request to its answer. */
    readonly request: number;
    /** The same of tools whose own name fits a glob; the first counts. */
    readonly tools: Readonly<Record<string, number>>;
    /** Progress sets the deadline anew, up to `max` from the request. */
    readonly progress: boolean;
    readonly max: number;
  };
  /** The gateway's settings of breakers, with the server's own in their place. */
  readonly breaker: BreakerSettings;
  /** The same of the adaptive limit. */
  readonly concurrency: GatewayOptions['concurrency'];
  /** How the server's protocol era is known. */
  readonly era: 'auto' | 'legacy' | 'modern';
  /** Who shares a session with the server. */
  readonly sharing: 'auto' | 'shared' | 'session' | 'principal';
  /** Sessions with the server, and who waits for one. Meaning and unit of each option: `blocks/pool.ts`. */
  readonly pool: PoolOptions;
  /** Requests that may be waiting for this server's answer at a time. */
  readonly maxInFlight: number;
  /** The largest single message that is accepted from this server, in bytes. */
  readonly maxMessageBytes: number;
  /** OAuth towards the server. */
  readonly auth?: UpstreamAuthOptions;
  /** Kept and shown, but not started. */
  readonly disabled: boolean;
}

/** A configuration that has been read and is right. */
export interface Config {
  /** In the order in which the file declares them. */
  readonly servers: ReadonlyMap<string, ServerConfig>;
  readonly gateway: GatewayOptions;
  /** Absolute path of the file, `null` for the built-in demo or defaults. */
  readonly source: { readonly file: string | null };
}

/** The environment, passed in so that tests need none. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings from the command line or `VIABLE_…` variables, which win over the file. */
export interface ConfigOverrides {
  readonly host?: string;
  readonly port?: number;
  readonly dashboard?: boolean;
  readonly adminSocket?: string;
  readonly logLevel?: GatewayOptions['logging']['level'];
  /** Serve on an address that other machines reach, although nothing authenticates them. */
  readonly insecure?: boolean;
  /** In place of `gateway.auth.mode`. */
  readonly authMode?: AuthMode;
}

/** One mistake in the configuration, or with `LoadResult.warnings` one thing that is odd but harmless. */
export interface ConfigProblem {
  /** `mcpServers.git.args[0]`; empty when the file as a whole is meant. */
  readonly path: string;
  /** One sentence. Never holds a value that could be a secret. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly suggestion?: string;
  /** 1-based, where the text of the file is known. */
  readonly line?: number;
  readonly column?: number;
  /** The line of the file with every value blanked out, and a caret below the spot. Syntax errors only. */
  readonly excerpt?: string;
}

/** A configuration, or all that is wrong with it. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };
