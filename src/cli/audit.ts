/** `viable audit`: reads the audit log's files, with or without a gateway that runs. */
import type { Command } from 'commander';
import { line, span, type Line } from '../admin/view/line.js';
import { lastRecords, verifyLog } from '../audit/verify.js';
import {
  printJson,
  printLines,
  RefusedError,
  UsageError,
  withGateway,
  type CliIo,
  type GlobalOptions,
} from './context.js';
import { wholeNumber } from './parse.js';

interface VerifyOptions extends GlobalOptions {
  readonly keyEnv?: string;
  readonly expect?: string;
}

interface TailOptions extends GlobalOptions {
  readonly lines: number;
}

const EXAMPLES = `
Without FILE the running gateway is asked where its log is.

Examples:
  viable audit verify /var/log/viable/audit.jsonl
  viable audit verify --key-env AUDIT_KEY audit.jsonl
  viable audit verify --expect 9f2c… audit.jsonl
  viable audit tail -n 20
  viable audit tail --json audit.jsonl | jq 'select(.type == "denial")'`;

export function addAudit(program: Command, io: CliIo): void {
  const audit = program
    .command('audit')
    .description('the audit log: verify its chain, show its end')
    .addHelpText('after', EXAMPLES);
  audit
    .command('verify')
    .description('read every line and say whether, and where, the chain breaks')
    .argument('[file]', 'the current file; those rotated away are found beside it')
    .option('--key-env <name>', 'environment variable with gateway.audit.key')
    .option('--expect <hash>', 'a hash that must be in the log: finds lines cut off at the end')
    .action(async (file: string | undefined, _, command: Command) => {
      await verifyCommand(io, command.optsWithGlobals<VerifyOptions>(), file);
    });
  audit
    .command('tail')
    .description('the newest lines')
    .argument('[file]', 'the current file')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 10_000), 20)
    .action(async (file: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<TailOptions>();
      const records = await reading(await fileOf(io, options, file), (path) => lastRecords(path, options.lines));
      if (options.json === true) for (const record of records) io.stdout.write(`${JSON.stringify(record)}\n`);
      else printLines(io, records.map(recordLine));
    });
}

async function verifyCommand(io: CliIo, options: VerifyOptions, given: string | undefined): Promise<void> {
  const key = keyOf(io, options.keyEnv);
  const result = await reading(await fileOf(io, options, given), (path) => verifyLog(path, key, options.expect));
  if (options.json === true) printJson(io, result);
  if (result.broken) {
    const { file, line: at, why } = result.broken;
    throw new RefusedError('audit_chain_broken', `the chain breaks in ${file}, line ${at}: ${why}.`, []);
  }
  if (result.expected === false)
    throw new RefusedError(
      'audit_hash_missing',
      'the chain holds, but the expected hash is not in it: lines are missing.',
      [],
    );
  if (options.json === true) return;
  const { records, files, first, head } = result;
  printLines(io, [
    line(
      span('The chain holds', 'ok'),
      `: ${records} lines in ${files} files, numbers ${first ?? 0} to ${head?.seq ?? 0}.`,
    ),
    ...(head === null ? [] : [line(span(`head ${head.hash}`, 'dim'))]),
    ...(first !== null && first > 1 ? [line(span('Older files were removed.', 'dim'))] : []),
  ]);
}

function keyOf(io: CliIo, name: string | undefined): string | null {
  if (name === undefined) return null;
  const key = io.env[name];
  if (key === undefined || key === '') throw new UsageError(`the environment variable ${name} is not set.`);
  return key;
}

async function fileOf(io: CliIo, options: GlobalOptions, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const { audit } = await withGateway(io, options, (client) => client.request('status'));
  if (audit === null)
    throw new RefusedError('no_audit_log', 'the gateway keeps no audit log: set gateway.audit.path.', []);
  return audit.path;
}

async function reading<T>(file: string, read: (file: string) => Promise<T>): Promise<T> {
  try {
    return await read(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RefusedError('audit_unreadable', `${file} cannot be read: ${why}.`, []);
  }
}

const SHOWN_FIRST: ReadonlySet<string> = new Set(['seq', 'at', 'type', 'outcome', 'prev', 'hash']);

function recordLine(record: Readonly<Record<string, unknown>>): Line {
  const { at, type, outcome } = record;
  const rest = Object.entries(record).filter(([name]) => !SHOWN_FIRST.has(name));
  return line(
    span(String(at), 'dim'),
    ` ${String(type)} `,
    span(String(outcome), 'accent'),
    rest.map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(''),
  );
}
