/**
 * From a document to a `Config`: expands variables, validates, applies overrides, fills in what one option takes from
 * another, makes paths absolute, freezes. The only maker of `Config`.
 */
import path from 'node:path';
import type { PoolOptions } from './blocks/pool.js';
import { expandVariables } from './expand.js';
import { metaOf, schemaAt } from './introspect.js';
import { withoutBrackets } from './host.js';
import { type Path } from './path.js';
import { placeFindings, type Finding, type SourcePlace } from './problems.js';
import { checkAuth, resolveAuth } from './resolve-auth.js';
import { fileSchema, TRANSPORT_TYPES, type FileDocument, type ServerEntry } from './schema.js';
import { breakerOf, given } from './server-options.js';
import type {
  Config,
  ConfigOverrides,
  Environment,
  GatewayFileOptions,
  GatewayOptions,
  LoadResult,
  ServerConfig,
  ServerTarget,
} from './types.js';
import { validateDocument } from './validate.js';

export interface ResolveContext {
  /** Absolute path of the file, `null` when the document is built in. */
  readonly file: string | null;
  /** Where relative paths begin. */
  readonly baseDir: string;
  readonly env: Environment;
  readonly overrides: ConfigOverrides;
  /** For line and column. */
  readonly place?: SourcePlace;
}

export function resolveDocument(document: unknown, context: ResolveContext): LoadResult {
  const expansion = expandVariables(document, context.env, isIgnored);
  const validation = validateDocument(expansion.value, expansion.expanded);
  // The variable comes first: what is said about its unexpanded text afterwards is only noise.
  const problems: Finding[] = [...expansion.problems, ...validation.problems];
  problems.push(...checkAuth(expansion.value, context));
  if (problems.length > 0 || validation.document === undefined) {
    return deepFreeze({ ok: false, problems: placeFindings(problems, context.place) });
  }
  const gateway = applyOverrides(validation.document.gateway, context);
  const config = buildConfig(validation.document, gateway, context);
  return deepFreeze({ ok: true, config, warnings: placeFindings(validation.warnings, context.place) });
}

/** A client's own setting: a variable in it is that client's affair. */
function isIgnored(at: Path): boolean {
  return metaOf(schemaAt(fileSchema, at)).ignored === true;
}

function applyOverrides(gateway: GatewayFileOptions, { overrides, baseDir, env }: ResolveContext): GatewayOptions {
  const { listen, dashboard, logging, admin, audit, tools, credentials } = gateway;
  const fromFile = admin.socket === null ? null : absolute(admin.socket, baseDir, env);
  const host = withoutBrackets(overrides.host ?? listen.host);
  const file = (name: string | null): string | null => (name === null ? null : absolute(name, baseDir, env));
  const { cert, key, ca, clientAuth } = listen.tls;
  const tls = { cert: file(cert), key: file(key), ca: file(ca), clientAuth };
  return {
    ...gateway,
    auth: resolveAuth(gateway.auth, { env, overrides, host, baseDir }),
    listen: { ...listen, host, port: overrides.port ?? listen.port, tls },
    dashboard: { ...dashboard, enabled: overrides.dashboard ?? dashboard.enabled },
    logging: { level: overrides.logLevel ?? logging.level },
    admin: { socket: overrides.adminSocket ?? fromFile },
    credentials: { file: credentials.file === null ? null : absolute(credentials.file, baseDir, env) },
    tools: { ...tools, file: tools.file === null ? null : absolute(tools.file, baseDir, env) },
    audit: { ...audit, path: audit.path === null ? null : absolute(audit.path, baseDir, env) },
  };
}

function buildConfig(document: FileDocument, gateway: GatewayOptions, context: ResolveContext): Config {
  const entries = [...Object.entries(document.mcpServers ?? {}), ...Object.entries(document.servers ?? {})];
  const servers = entries.map(([name, entry]): [string, ServerConfig] => [
    name,
    buildServer(name, entry, gateway, context),
  ]);
  return { servers: new Map(servers), gateway, source: { file: context.file } };
}

function buildServer(name: string, entry: ServerEntry, gateway: GatewayOptions, context: ResolveContext): ServerConfig {
  const {
    prefix,
    allow,
    deny,
    inheritEnv = [],
    timeouts,
    breaker,
    concurrency,
    maxInFlight,
    maxMessageBytes,
    era,
    sharing,
    pool,
  } = entry.viable;
  return {
    name,
    target: buildTarget(entry, inheritEnv, context),
    ...(prefix === undefined ? {} : { prefix }),
    filter: { ...(allow === undefined ? {} : { allow }), ...(deny === undefined ? {} : { deny }) },
    timeouts: {
      connect: timeouts?.connect ?? gateway.upstreams.connectTimeout,
      request: timeouts?.request ?? gateway.requests.timeout,
      tools: timeouts?.tools ?? {},
      progress: timeouts?.progress ?? gateway.requests.progressExtends,
      max: timeouts?.max ?? gateway.requests.maxTimeout,
    },
    breaker: breakerOf(gateway, breaker),
    concurrency: { ...gateway.concurrency, ...given(concurrency ?? {}) },
    maxInFlight: maxInFlight ?? gateway.requests.maxInFlight,
    maxMessageBytes,
    era,
    sharing,
    pool: poolOf(gateway.pool, pool),
    ...(entry.viable.auth === undefined ? {} : { auth: entry.viable.auth }),
    disabled: entry.disabled,
  };
}

function poolOf(common: PoolOptions, own: ServerEntry['viable']['pool'] = {}): PoolOptions {
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...common, ...Object.fromEntries(given) };
}

function buildTarget(
  entry: ServerEntry,
  inheritEnv: readonly string[],
  { baseDir, env }: ResolveContext,
): ServerTarget {
  const { command, cwd, url = '' } = entry;
  if (command === undefined) {
    const stated = entry.type === undefined ? undefined : TRANSPORT_TYPES[entry.type];
    const transport = stated === undefined || stated === 'stdio' ? inferTransport(url) : stated;
    return { transport, url, headers: asStrings(entry.headers ?? {}) };
  }
  return {
    transport: 'stdio',
    command: isBareName(command) ? command : absolute(command, baseDir, env),
    args: (entry.args ?? []).map(String),
    env: asStrings(entry.env ?? {}),
    ...(cwd === undefined ? {} : { cwd: absolute(cwd, baseDir, env) }),
    inheritEnv,
  };
}

/** A name for PATH to find; anything with a separator is a file. */
function isBareName(command: string): boolean {
  return !/[/\\]/.test(command);
}

/** The transport of a URL whose entry names none. */
export function inferTransport(url: string): 'http' | 'sse' | 'ws' {
  const { protocol, pathname } = new URL(url);
  if (protocol === 'ws:' || protocol === 'wss:') return 'ws';
  return /\/sse\/?$/.test(pathname) ? 'sse' : 'http';
}

function absolute(file: string, baseDir: string, env: Environment): string {
  const home = env['HOME'];
  if (home !== undefined && home !== '' && /^~(?:$|[/\\])/.test(file)) return path.join(home, file.slice(1));
  return path.resolve(baseDir, file);
}

function asStrings(values: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

/** Freezes `value` and all that it holds. A Map's contents cannot be frozen, so its mutators are taken away. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) {
    for (const item of value.values()) deepFreeze(item);
    const refuse = (): never => {
      throw new TypeError('the configuration is read-only');
    };
    for (const method of ['set', 'delete', 'clear']) Object.defineProperty(value, method, { value: refuse });
  }
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
