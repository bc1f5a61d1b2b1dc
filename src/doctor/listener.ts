/** Where clients and consoles connect: the port, its certificate, the admin socket. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { createServer, isIP } from 'node:net';
import { connectAdmin, defaultSocketPath } from '../admin/client.js';
import { LONGEST_PATH } from '../admin/socket-file.js';
import type { GatewayOptions } from '../config/index.js';
import { fail, ok, warning, type Finding } from './check.js';
import { codeOf, folderTrouble, modeFinding } from './files.js';
import { within } from './within.js';

/** The gateway that answers on the admin socket. */
export interface RunningGateway {
  readonly url: string;
  readonly pid: number;
}

export function socketPathOf({ admin, listen }: GatewayOptions, env: NodeJS.ProcessEnv): string | undefined {
  return admin.socket ?? (listen.port === 0 ? undefined : defaultSocketPath(listen.port, env));
}

/** `undefined` when none answers. */
export async function runningGateway(path: string | undefined, timeoutMs: number): Promise<RunningGateway | undefined> {
  if (path === undefined) return undefined;
  try {
    const client = await within(connectAdmin(path), timeoutMs);
    try {
      const { url, pid } = await within(client.request('status'), timeoutMs);
      return { url, pid };
    } finally {
      client.close();
    }
  } catch {
    return undefined;
  }
}

export async function portFinding(
  { host, port }: GatewayOptions['listen'],
  running: RunningGateway | undefined,
): Promise<Finding> {
  if (port === 0) return ok(`a free port of ${host} is taken at each start`);
  const where = `${host}:${port}`;
  const code = await bindError(host, port);
  switch (code) {
    case undefined:
      return ok(`${where} is free`);
    case 'EADDRINUSE':
      if (running !== undefined && Number(new URL(running.url).port) === port)
        return ok(`${where} is served by this gateway, process ${running.pid}`);
      return fail(
        `something else listens on ${where}`,
        `stop it (\`ss -ltnp 'sport = :${port}'\` shows it), or choose another gateway.listen.port`,
      );
    case 'EACCES':
      return fail(`this user may not listen on ${where}`, 'choose a port from 1024 on, or put a proxy in front');
    case 'EADDRNOTAVAIL':
      return fail(`${host} is no address of this machine`, 'correct gateway.listen.host');
    default:
      return fail(`${where} cannot be listened on (${code})`, 'correct gateway.listen.host');
  }
}

function bindError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** While it is bound, the socket lies in a folder `.v-XXXXXX` beside its place. */
const HIDDEN_CHARS = '.v-XXXXXX/s'.length;

export async function socketFinding(path: string | undefined, running: RunningGateway | undefined): Promise<Finding> {
  if (path === undefined) return ok('named after the port that is taken');
  if (running !== undefined) return ok(`a gateway answers on ${path}, process ${running.pid}`);
  const folder = path.slice(0, path.lastIndexOf('/')) || '/';
  if (Math.max(Buffer.byteLength(path), Buffer.byteLength(folder) + 1 + HIDDEN_CHARS) > LONGEST_PATH)
    return fail(`${path} is too long for a socket`, 'give a shorter gateway.admin.socket');
  const trouble = await folderTrouble(folder);
  if (trouble !== undefined)
    return fail(`${folder} ${trouble}`, 'set gateway.admin.socket, or XDG_RUNTIME_DIR, to a folder of this user');
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return ok(`${path} can be made`);
  if (!found.isSocket())
    return fail(`${path} exists and is no socket`, 'remove it, or choose another gateway.admin.socket');
  const own = process.getuid?.() ?? found.uid;
  if (found.uid !== own && own !== 0)
    return fail(`${path} belongs to another user`, 'choose another gateway.admin.socket');
  return ok(`${path} is left from a process that ended, and will be replaced`);
}

/** A renewal that failed should be seen in time: ACME clients renew 30 days before the end. */
const EXPIRY_WARN_DAYS = 14;
const DAY_MS = 86_400_000;

export async function tlsFindings(gateway: GatewayOptions, now: number): Promise<readonly Finding[]> {
  const { cert, key, ca } = gateway.listen.tls;
  if (cert === null || key === null) return [];
  const findings: Finding[] = [];
  const certificate = await read(cert, (pem) => new X509Certificate(pem), 'no certificate in PEM', findings);
  const privateKey = await read(key, (pem) => createPrivateKey(pem), 'no private key in PEM', findings);
  if (ca !== null) await read(ca, (pem) => new X509Certificate(pem), 'no certificate in PEM', findings);
  if (certificate !== undefined) findings.push(validity(certificate, cert, now), ...names(certificate, gateway));
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey))
    findings.push(fail(`${key} is not the key of ${cert}`, 'give the two that were made together'));
  if (privateKey !== undefined) findings.push(...(await modeFinding(key, 'the private key')));
  return findings;
}

async function read<T>(
  file: string,
  parse: (pem: Buffer) => T,
  otherwise: string,
  findings: Finding[],
): Promise<T | undefined> {
  const pem = await readFile(file).catch((error: unknown) => {
    findings.push(fail(`${file} cannot be read (${codeOf(error)})`, 'check the path and its permissions'));
    return undefined;
  });
  if (pem === undefined) return undefined;
  try {
    return parse(pem);
  } catch {
    findings.push(fail(`${file} is ${otherwise}`, 'give a PEM file, without a passphrase'));
    return undefined;
  }
}

function validity(certificate: X509Certificate, file: string, now: number): Finding {
  const from = Date.parse(certificate.validFrom);
  const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS);
  if (now < from) return fail(`${file} is valid only from ${certificate.validFrom} on`, 'check the clock, or wait');
  if (days < 0)
    return fail(`${file} has expired on ${certificate.validTo}`, 'renew it; a running gateway takes it over');
  if (days < EXPIRY_WARN_DAYS) return warning(`${file} expires in ${days} days`, 'renew it; nothing needs a restart');
  return ok(`${file} is valid for ${days} days`);
}

/** Host names that clients are known to use, and the certificate does not have. */
function names(certificate: X509Certificate, { auth, listen }: GatewayOptions): Finding[] {
  const known = [...listen.allowedHosts, ...(auth.resource === null ? [] : [new URL(auth.resource).hostname])];
  const bare = new Set(known.map((host) => host.replace(/:\d+$/, '')).filter((host) => !host.includes('*')));
  return [...bare]
    .filter((host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) === undefined)
    .map((host) => warning(`the certificate is not for ${host}`, 'get one with that name among its alternative names'));
}
