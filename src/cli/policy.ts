/** `viable policy`: the rules that hold now, and why somebody may or may not. */
import { Option, type Command } from 'commander';
import { type AdminClient } from '../admin/client.js';
import { line, span, type Line } from '../admin/view/line.js';
import { type PolicyCheck, type PolicyDetails } from '../admin/snapshot/policy.js';
import { addPolicyMode } from './policy-mode.js';
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
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const ROLES = ['admin', 'premium', 'user', 'guest'];

type CheckParams = Parameters<AdminClient['request']>[1];

interface CheckOptions extends GlobalOptions {
  readonly as?: string;
  readonly claims?: string;
  readonly subject?: string;
  readonly permission?: readonly string[];
  readonly tool?: string;
  readonly prompt?: string;
  readonly resource?: string;
}

const EXAMPLES = `
Examples:
  viable policy show
  viable policy check --as guest --tool github__delete_repo
  viable policy check --claims '{"sub":"ann","role":"user","org":{"team":"core"}}' --tool github__create_issue
  viable policy check --as user --permission repo:write --resource file:///srv/report.txt`;

export function addPolicy(program: Command, io: CliIo): void {
  const policy = program
    .command('policy')
    .description('who may see and use what: the rules, and why')
    .addHelpText('after', EXAMPLES);
  policy
    .command('show')
    .description('the rules that hold now, their version, and how often they said no')
    .option(WATCH_FLAG, WATCH_HELP)
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => client.request('policy'),
        (details, paper) => printLines(paper, describe(details)),
      ),
    );
  policy
    .command('check')
    .description('decide for somebody, rule by rule; exit code 1 when denied')
    .addOption(new Option('--as <role>', 'their role').choices(ROLES).argParser(oneOf(ROLES)))
    .option('--claims <json>', 'claims of their token; sub, role and permissions are read from it')
    .option('--subject <sub>', 'their subject')
    .option('--permission <name...>', 'their permissions')
    .option('--tool <name>', 'as at /mcp, <server>__<tool>')
    .option('--prompt <name>', 'the same of a prompt')
    .option('--resource <uri>', 'the URI of a resource')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<CheckOptions>();
      const result = await withGateway(io, options, (client) => client.request('policy-check', paramsOf(options)));
      if (options.json === true) printJson(io, result);
      else printLines(io, explain(result));
      if (!result.allowed) throw new RefusedError('denied', `Denied by ${result.by}.`, []);
    });
  addPolicyMode(policy, io);
}

function paramsOf(options: CheckOptions): CheckParams {
  const { as: role, claims, subject, permission, tool, prompt, resource } = options;
  if ([tool, prompt, resource].filter((target) => target !== undefined).length !== 1)
    throw new UsageError('Name one of --tool, --prompt and --resource.');
  return {
    ...(role !== undefined && { role }),
    ...(claims !== undefined && { claims: claimsOf(claims) }),
    ...(subject !== undefined && { subject }),
    ...(permission !== undefined && { permissions: permission }),
    ...(tool !== undefined && { tool }),
    ...(prompt !== undefined && { prompt }),
    ...(resource !== undefined && { resource }),
  };
}

function claimsOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new UsageError('--claims takes a JSON object.');
}

function describe(details: PolicyDetails): Line[] {
  const { version, digest, denials, text } = details;
  return [
    line(span(`version ${version}`, 'strong'), span(`  ${digest.slice(0, 16)}`, 'dim')),
    line(`denials: ${denials.total}, in the last five minutes ${denials.lastFiveMinutes}`),
    ...text.map((rule, index) => {
      const { name, effect, ...conditions } = rule;
      const shown = Object.entries(conditions).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      return line(
        `${index + 1}. `,
        span(String(effect), effect === 'allow' ? 'ok' : 'bad'),
        typeof name === 'string' ? ` (${name})` : '',
        shown.join(''),
      );
    }),
    line('otherwise: ', span(details.default, details.default === 'allow' ? 'ok' : 'bad')),
  ];
}

function explain({ allowed, by, target, exists, steps, wanting }: PolicyCheck): Line[] {
  return [
    ...steps.map(({ rule, effect, skipped }) =>
      line(
        `${rule}: `,
        skipped === null ? span(`holds: ${effect}`, effect === 'allow' ? 'ok' : 'bad') : span(skipped, 'dim'),
      ),
    ),
    line(
      span(allowed ? 'allowed' : 'denied', allowed ? 'ok' : 'bad'),
      ` by ${by}: ${target.kind} ${target.name}${target.server === '' ? '' : ` of ${target.server}`}`,
    ),
    ...(wanting === null
      ? []
      : [line(`With ${wanting.join(', ')} it would be allowed: answered with insufficient_scope.`)]),
    ...(exists ? [] : [line(span('Nothing of that name is offered now.', 'warn'))]),
  ];
}
