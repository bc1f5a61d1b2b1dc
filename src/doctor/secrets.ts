/** Secrets: long enough, not guessable, and not readable by others. */
import { homedir } from 'node:os';
import path from 'node:path';
import type { Config } from '../config/index.js';
import { literalSecrets } from '../setup/secrets.js';
import { ok, warning, type Finding } from './check.js';
import { modeFinding } from './files.js';

/** @param document the file as it is written, variables not expanded; `undefined` for the demo */
export async function secretFindings(
  config: Config,
  document: unknown,
  env: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  const { auth, credentials } = config.gateway;
  const findings: Finding[] = auth.secrets
    .filter(({ secret }) => isGuessable(secret))
    .map(({ kid }) =>
      warning(
        `the secret ${kid} is made of few characters`,
        `make one with: node -e "console.log(require('node:crypto').randomBytes(48).toString('base64url'))"`,
      ),
    );
  const { file } = config.source;
  const literal = literalSecrets(document);
  if (file !== null && literal.length > 0) {
    findings.push(
      warning(
        `${literal.slice(0, 3).join(', ')}${literal.length > 3 ? ` and ${literal.length - 3} more` : ''} ${literal.length === 1 ? 'looks' : 'look'} like a secret in the file itself`,
        'write `${NAME}` and set the variable where the gateway is started',
      ),
      ...(await modeFinding(file, 'the configuration')),
    );
  }
  findings.push(...(await modeFinding(credentials.file ?? defaultCredentials(env), 'tokens of upstreams')));
  if (auth.revocations !== null) findings.push(...(await modeFinding(auth.revocations, 'the list of revoked tokens')));
  if (findings.length > 0) return findings;
  const { length } = auth.secrets;
  return [ok(length === 0 ? 'none is kept where others can read it' : `${length} for signing, each long enough`)];
}

/** Bytes that repeat: a pass phrase has more than ten different characters, random text more than twenty. */
function isGuessable(secret: string): boolean {
  return new Set(secret).size < 10;
}

function defaultCredentials(env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME'];
  const base = state === undefined || state === '' ? path.join(homedir(), '.local/state') : state;
  return path.join(base, 'viable/credentials.json');
}
