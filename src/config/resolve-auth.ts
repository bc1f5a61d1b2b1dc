/**
 * The authentication that applies: `JWT_SECRET` joined with the file, the default mode, and what may not be started.
 *
 * Source of the default rule: nobody is asked on a loopback address where nothing was set up; everything else asks.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { type AuthMode, MAKE_SECRET, MIN_SECRET_BYTES } from './blocks/auth.js';
import { isLoopbackHost } from './host.js';
import { isRecord, valueAt } from './path.js';
import { type Finding } from './problems.js';
import type { AuthFileOptions, AuthOptions, ConfigOverrides, Environment } from './types.js';

const SECRET = 'JWT_SECRET';

/** The id of a secret that has no name of its own; it reveals nothing of it. */
export function secretId(secret: string): string {
  return createHash('sha256').update(`viable jwt kid\n${secret}`).digest('base64url').slice(0, 8);
}

export interface AuthContext {
  readonly env: Environment;
  readonly overrides: ConfigOverrides;
  readonly host: string;
  readonly baseDir: string;
}

export function resolveAuth(auth: AuthFileOptions, { env, overrides, host, baseDir }: AuthContext): AuthOptions {
  const fromEnv = env[SECRET];
  const listed = [...(fromEnv === undefined || fromEnv === '' ? [] : [{ secret: fromEnv }]), ...auth.secrets];
  const secrets = listed.map((entry) => ({ kid: entry.kid ?? secretId(entry.secret), secret: entry.secret }));
  const { revocations } = auth;
  return {
    ...auth,
    mode:
      overrides.authMode ??
      auth.mode ??
      defaultMode(host, secrets.length + auth.issuers.length > 0, overrides.insecure),
    secrets,
    revocations: revocations === null ? null : path.resolve(baseDir, revocations),
  };
}

function defaultMode(host: string, configured: boolean, insecure = false): AuthMode {
  return !configured && (insecure || isLoopbackHost(host)) ? 'off' : 'required';
}

/** What is wrong with the document's authentication, before it is resolved. `document` is expanded, and may be anything. */
export function checkAuth(document: unknown, { env, overrides }: Pick<AuthContext, 'env' | 'overrides'>): Finding[] {
  const findings: Finding[] = [];
  const secret = env[SECRET];
  if (secret !== undefined && secret !== '' && Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    findings.push({
      path: [],
      message: `the environment variable ${SECRET} is shorter than ${MIN_SECRET_BYTES} bytes: tokens signed with it could be forged`,
      suggestion: MAKE_SECRET,
    });
  }
  const file = valueAt(document, ['gateway', 'auth']);
  const auth = isRecord(file) ? file : {};
  const configured = (secret !== undefined && secret !== '') || isFilled(auth['secrets']) || isFilled(auth['issuers']);
  const listen = overrides.host ?? valueAt(document, ['gateway', 'listen', 'host']);
  const host = typeof listen === 'string' && listen !== '' ? listen : '127.0.0.1';
  const mode = overrides.authMode ?? auth['mode'];
  if (mode === 'off' && !isLoopbackHost(host) && overrides.insecure !== true) {
    findings.push({
      path: ['gateway', 'auth', 'mode'],
      message: 'other machines reach this address, and with `off` anyone could call every tool',
      suggestion: 'set JWT_SECRET and leave the mode out; or start with `--insecure` if the network is closed',
    });
  }
  const asks = mode === 'required' || (mode === undefined && !isLoopbackHost(host));
  if (asks && !configured && overrides.insecure !== true) {
    findings.push({
      path: mode === undefined ? ['gateway', 'listen', 'host'] : ['gateway', 'auth', 'mode'],
      message:
        mode === undefined
          ? 'other machines reach this address, so clients must log in, and there is neither JWT_SECRET nor an issuer to log in with'
          : 'clients must log in, and there is neither JWT_SECRET nor an issuer to log in with',
      suggestion: `set JWT_SECRET (${MAKE_SECRET}) or \`gateway.auth.issuers\`; or listen on 127.0.0.1; or start with \`--insecure\` if the network is closed`,
    });
  }
  findings.push(...checkSets(auth), ...checkTls(valueAt(document, ['gateway', 'listen', 'tls'])));
  return findings;
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** Names that may stand once only. */
function checkSets(auth: Record<string, unknown>): Finding[] {
  return (['secrets', 'issuers'] as const).flatMap((key): Finding[] => {
    const entries = Array.isArray(auth[key]) ? (auth[key] as unknown[]) : [];
    const name = key === 'secrets' ? 'kid' : 'issuer';
    const seen = new Set<unknown>(key === 'issuers' ? [auth['issuer'] ?? 'autonomous-opponent'] : []);
    return entries.flatMap((entry, index): Finding[] => {
      const value = isRecord(entry) ? entry[name] : undefined;
      if (typeof value !== 'string' || !seen.has(value)) {
        seen.add(value);
        return [];
      }
      return [{ path: ['gateway', 'auth', key, index, name], message: `this ${name} stands twice` }];
    });
  });
}

/** Half a certificate, and a check of client certificates against nobody. */
function checkTls(block: unknown): Finding[] {
  const tls = isRecord(block) ? block : {};
  const given = (key: string): boolean => tls[key] !== undefined && tls[key] !== null;
  const at = (key: string): Finding['path'] => ['gateway', 'listen', 'tls', key];
  const findings: Finding[] = [];
  if (given('cert') !== given('key')) {
    const missing = given('cert') ? 'key' : 'cert';
    findings.push({
      path: at(missing),
      message: '`cert` and `key` belong together',
      suggestion: `give \`${missing}\`, too`,
    });
  }
  const checks = tls['clientAuth'] === 'request' || tls['clientAuth'] === 'require';
  if (checks && !(given('ca') && given('cert'))) {
    const suggestion = 'give `cert`, `key` and `ca`';
    findings.push({
      path: at('clientAuth'),
      message: 'client certificates need TLS and a `ca` to check them against',
      suggestion,
    });
  }
  return findings;
}
