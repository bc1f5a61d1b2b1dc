/** What `viable token` needs of the gateway's parts: its secrets, its way to read a token, a file of keys. */
import { readFile } from 'node:fs/promises';
import { type TokenCheck, type TokenTool, tokenTool, verifyWithKeys } from '../auth/token-tool.js';
import { demoConfig, loadConfig, renderProblems } from '../config/index.js';

/** Rejects with every mistake in the configuration, in words. `file` absent: the environment alone. */
export async function openTokens(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TokenTool> {
  const loaded = file === undefined ? await demoConfig({ env }) : await loadConfig({ file, env });
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems, file ?? null));
  return tokenTool(loaded.config.gateway.auth);
}

export async function verifyWithFile(token: string, jwks: string): Promise<TokenCheck> {
  return verifyWithKeys(token, JSON.parse(await readFile(jwks, 'utf8')) as unknown);
}
