/**
 * Which values of a server's entry look like secrets, and what they are called as environment variables. Pure.
 *
 * By the name that a value has (`API_TOKEN`, `Authorization`, `--api-key`) and by prefixes that services give their
 * tokens. What is a reference already, a path, a number or a switch is none.
 */
import { isRecord } from '../config/path.js';

type Entry = Readonly<Record<string, unknown>>;

export interface FoundSecret {
  /** Where in the entry: `env.GITHUB_TOKEN`, `headers.Authorization`, `args[2]`, `url`. */
  readonly where: string;
  /** The environment variable that takes its place. */
  readonly variable: string;
  readonly value: string;
}

export interface WithoutSecrets {
  readonly entry: Entry;
  readonly secrets: readonly FoundSecret[];
}

const SECRET_NAME =
  /key|token|secret|passw|passphrase|pwd|auth|credential|bearer|cookie|(?:^|[_-])(?:pat|dsn)(?:$|[_-])/i;
/** Names that hold such a word and no secret: `AUTH_TYPE`, `KEY_FILE`, `TOKEN_URL`. */
const HARMLESS_NAME = /(?:file|path|dir|url|uri|host|type|mode|name|id|user|region|algorithm|limit|count|ttl)$/i;
/** GitHub, GitLab, OpenAI and Anthropic, Slack, AWS, Google, Hugging Face, npm, Stripe, JSON Web Tokens. */
const SECRET_VALUE =
  /^(?:gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA[0-9A-Z]{12}|AIza[\w-]{20}|hf_[A-Za-z0-9]{16}|npm_[A-Za-z0-9]{16}|[rs]k_live_|eyJ[\w-]{8,}\.)/;
const SCHEME = /^(Bearer|Basic|Token|ApiKey)\s+(\S.*)$/i;
/** `Authorization: Bearer …` as one argument, as mcp-remote takes it. */
const HEADER_ARGUMENT = /^([\w-]+):\s*(\S.*)$/;
const SHORTEST = 6;

/** @param server its name, for variables that have no name of their own */
export function withoutSecrets(server: string, entry: Entry): WithoutSecrets {
  const secrets: FoundSecret[] = [];
  const take = (where: string, variable: string, value: string): string => {
    secrets.push({ where, variable, value });
    return `\${${variable}}`;
  };
  const { env, headers, args, url } = entry;
  const clean: Record<string, unknown> = { ...entry };
  if (isRecord(env))
    clean['env'] = mapValues(env, (name, value) =>
      isSecret(name, value) ? take(`env.${name}`, variableName(name), value) : value,
    );
  if (isRecord(headers))
    clean['headers'] = mapValues(headers, (name, value) => header(server, name, value, `headers.${name}`, take));
  if (Array.isArray(args)) clean['args'] = argumentsOf(server, args, take);
  if (typeof url === 'string') clean['url'] = address(server, url, take);
  return { entry: clean, secrets };
}

/** Paths of the values that look like secrets in a configuration: `mcpServers.github.env.GITHUB_TOKEN`. */
export function literalSecrets(document: unknown): readonly string[] {
  if (!isRecord(document)) return [];
  return ['mcpServers', 'servers'].flatMap((group) => {
    const servers = document[group];
    if (!isRecord(servers)) return [];
    return Object.entries(servers).flatMap(([name, entry]) =>
      isRecord(entry) ? withoutSecrets(name, entry).secrets.map(({ where }) => `${group}.${name}.${where}`) : [],
    );
  });
}

/** In capitals, with nothing but letters, digits and `_`. */
export function variableName(...parts: readonly string[]): string {
  const name = parts
    .join('_')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return /^[A-Z]/.test(name) ? name : `VALUE_${name}`;
}

type Take = (where: string, variable: string, value: string) => string;

function isSecret(name: string, value: string): boolean {
  if (value.includes('${')) return false;
  if (SECRET_VALUE.test(value)) return true;
  if (hasPassword(value)) return true;
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name) && isOpaque(value);
}

/** Long enough, and no number, switch, path or plain address. */
function isOpaque(value: string): boolean {
  return (
    value.length >= SHORTEST &&
    !/^(?:\d+(?:\.\d+)?|true|false|yes|no|none)$/i.test(value) &&
    !/^(?:[~.]?\/|[A-Za-z]:\\|https?:\/\/)/.test(value)
  );
}

/** `postgres://user:password@host/db` */
function hasPassword(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i.test(value);
}

function header(server: string, name: string, value: string, where: string, take: Take): string {
  if (value.includes('${')) return value;
  const [, scheme, token] = SCHEME.exec(value) ?? [];
  if (scheme !== undefined && token !== undefined)
    return `${scheme} ${take(where, variableName(server, 'token'), token)}`;
  return isSecret(name, value) ? take(where, variableName(server, name.replace(/^x-/i, '')), value) : value;
}

function argumentsOf(server: string, args: readonly unknown[], take: Take): unknown[] {
  return args.map((word: unknown, index) => {
    if (typeof word !== 'string' || word.includes('${')) return word;
    const where = `args[${index}]`;
    const [, flag, rest] = /^(--?[\w-]+)=(.*)$/s.exec(word) ?? [];
    if (flag !== undefined && rest !== undefined)
      return isSecret(flag, rest) ? `${flag}=${take(where, variableName(server, flag), rest)}` : word;
    const before: unknown = args[index - 1];
    const option = typeof before === 'string' && /^--?[A-Za-z][\w-]*$/.test(before) ? before : '';
    if (option !== '' && !word.startsWith('-') && isSecret(option, word) && !/^--?headers?$/i.test(option))
      return take(where, variableName(server, option), word);
    const [, name, value] = HEADER_ARGUMENT.exec(word) ?? [];
    if (name !== undefined && value !== undefined && SECRET_NAME.test(name) && !/^\w:\\/.test(word))
      return `${name}: ${header(server, name, value, where, take)}`;
    return SECRET_VALUE.test(word) || hasPassword(word) ? take(where, variableName(server, 'secret'), word) : word;
  });
}

/** Only values of the query: a user name and password in an address are refused by the configuration anyway. */
function address(server: string, url: string, take: Take): string {
  return url.replaceAll(/([?&])([\w.-]+)=([^&#]*)/g, (whole, mark: string, name: string, value: string) =>
    isSecret(name, value) ? `${mark}${name}=${take('url', variableName(server, name), value)}` : whole,
  );
}

function mapValues(
  record: Readonly<Record<string, unknown>>,
  change: (name: string, value: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, typeof value === 'string' ? change(name, value) : value]),
  );
}
