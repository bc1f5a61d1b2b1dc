/** `viable token`: make, check and renew tokens without a gateway; revoke them at one. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { line, span } from '../admin/view/line.js';
import {
  printJson,
  printLines,
  RefusedError,
  UsageError,
  withGateway,
  type CliIo,
  type GlobalOptions,
} from './context.js';
import { oneOf } from './parse.js';

const ROLES = ['admin', 'premium', 'user', 'guest'];
const AUTHENTICATOR = '/admission/authenticator';
const CONFIG_FLAG = '--config <file>';
const CONFIG_HELP = 'configuration with the secrets, issuer and audience (default: JWT_SECRET alone)';

const EXAMPLES = `
The secret is JWT_SECRET, or those of the configuration (VIABLE_CONFIG). A token given as - is read from VIABLE_TOKEN, so that
it stands in no list of processes.

Examples:
  viable token create ada --role premium --permission read write --expires 2h
  viable token verify - --json
  viable token verify eyJ… --jwks keys.json
  viable token revoke --subject ada`;

interface CreateOptions extends GlobalOptions {
  readonly config?: string;
  readonly role?: 'admin' | 'premium' | 'user' | 'guest';
  readonly permission?: readonly string[];
  readonly expires?: number;
}

interface VerifyOptions extends GlobalOptions {
  readonly config?: string;
  readonly jwks?: string;
}

interface RevokeOptions extends GlobalOptions {
  readonly jti?: string;
  readonly subject?: string;
  readonly issuer?: string;
}

export function addToken(program: Command, io: CliIo): void {
  const token = program
    .command('token')
    .description('make, check, renew and revoke tokens')
    .addHelpText('after', EXAMPLES);
  token
    .command('create')
    .description('a signed token on stdout')
    .argument('<subject>', 'whose it is (`sub`)')
    .addOption(new Option('--role <role>', 'its role').choices(ROLES).argParser(oneOf(ROLES)).default('user'))
    .option('--permission <name...>', 'its permissions')
    .option('--expires <time>', 'how long it lasts: 90s, 30m, 2h, 7d (default: gateway.auth.tokenTtl)', seconds)
    .option(CONFIG_FLAG, CONFIG_HELP)
    .action(async (subject: string, _, command: Command) => {
      const { role = 'user', permission = [], expires, ...options } = command.optsWithGlobals<CreateOptions>();
      const tool = await open(io, options);
      const made = await tool.create(subject, {
        role,
        permissions: permission,
        ...(expires !== undefined && { exp: expires }),
      });
      if (options.json === true) printJson(io, { token: made });
      else io.stdout.write(`${made}\n`);
    });
  token
    .command('verify')
    .description('whose a token is, or why it is refused; exit code 1 then')
    .argument('<token>', 'the token, or - for VIABLE_TOKEN')
    .option(
      '--jwks <file>',
      'verify with the public keys of this JWK Set or JWK instead; the signature and the end alone',
    )
    .option(CONFIG_FLAG, CONFIG_HELP)
    .action(async (given: string, _, command: Command) => {
      const options = command.optsWithGlobals<VerifyOptions>();
      const text = tokenText(given, io);
      const { jwks } = options;
      const check =
        jwks === undefined ? await (await open(io, options)).verify(text) : await inWords(io.verifyToken(text, jwks));
      if (!check.valid) throw new RefusedError('invalid_token', `The token is refused: ${check.reason}.`, []);
      if (options.json === true) return printJson(io, check);
      const { subject, role, permissions, expiresAt, algorithm } = check;
      printLines(io, [
        line(span('valid', 'ok'), `, ${algorithm}`),
        line('subject      ', span(subject ?? '–', 'strong')),
        line('role         ', role ?? '–'),
        line('permissions  ', permissions.join(' ') || '–'),
        line('ends         ', expiresAt === null ? '–' : new Date(expiresAt).toISOString()),
      ]);
    });
  token
    .command('refresh')
    .description('the same token while it is fresh, a new one when it ends soon; exit code 1 when it is refused')
    .argument('<token>', 'the token, or - for VIABLE_TOKEN')
    .option(CONFIG_FLAG, CONFIG_HELP)
    .action(async (given: string, _, command: Command) => {
      const options = command.optsWithGlobals<VerifyOptions>();
      const result = await (await open(io, options)).refresh(tokenText(given, io));
      if (!result.ok) throw new RefusedError(result.error, `The token is refused: ${result.fault}.`, []);
      if (options.json === true) printJson(io, { token: result.token, renewed: result.renewed });
      else io.stdout.write(`${result.token}\n`);
    });
  token
    .command('revoke')
    .description(
      'revoke at the running gateway: a token, the token of a jti, or all that a subject was given until now',
    )
    .argument('[token]', 'the token, or - for VIABLE_TOKEN')
    .option('--jti <id>', 'the token with this `jti`')
    .option('--subject <sub>', 'every token of this subject')
    .option('--issuer <iss>', 'whose jti or subject (default: gateway.auth.issuer)')
    .action(async (given: string | undefined, _, command: Command) => {
      const { jti, subject, issuer, ...options } = command.optsWithGlobals<RevokeOptions>();
      const what = [given, jti, subject].filter((part) => part !== undefined);
      if (what.length !== 1) throw new UsageError('Give one of: a token, --jti, --subject.');
      const args = {
        ...(given !== undefined && { token: tokenText(given, io) }),
        ...(jti !== undefined && { jti }),
        ...(subject !== undefined && { subject }),
        ...(issuer !== undefined && { issuer }),
      };
      const answer = await withGateway(io, options, (client) =>
        client.request('send', { actor: AUTHENTICATOR, message: 'revoke', args }),
      );
      if (options.json === true) printJson(io, answer);
      else printLines(io, [line(span('revoked', 'ok'))]);
    });
}

function open(io: CliIo, { config }: { readonly config?: string }): ReturnType<CliIo['openTokens']> {
  return inWords(io.openTokens(config ?? io.env['VIABLE_CONFIG']));
}

/** What is wrong with secrets, configuration or files is a mistake of whoever called. */
async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function tokenText(given: string, { env }: CliIo): string {
  if (given !== '-') return given;
  const token = env['VIABLE_TOKEN'];
  if (token === undefined || token === '') throw new UsageError('VIABLE_TOKEN is not set.');
  return token;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function seconds(text: string): number {
  const [, count = '', unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const value = Number(count) * (UNITS[unit] ?? 0);
  if (!(value > 0)) throw new InvalidArgumentError('write a time as 90s, 30m, 2h or 7d.');
  return value;
}
