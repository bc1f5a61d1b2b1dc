/** `viable init`: a configuration to begin with, made of the servers that MCP clients have already. */
import { chmod, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { fitLine, line, span, type Line } from '../admin/view/line.js';
import { textWidth } from '../admin/view/text.js';
import { CLIENT_NAMES, type SetupPlan, type WantedVariable } from '../setup/plan.js';
import {
  printJson,
  printLines,
  printTable,
  RefusedError,
  UsageError,
  type CliIo,
  type GlobalOptions,
} from './context.js';

interface InitOptions extends GlobalOptions {
  readonly from?: readonly string[];
  readonly output: string;
  readonly secrets?: string;
  readonly force?: true;
  readonly yes?: true;
}

const HELP = `
Without --from the files of Claude Desktop, Claude Code, Cursor, VS Code and Windsurf are looked for where they usually are, those of
this folder's project among them. They are read and not changed. Values that look like secrets are replaced by \${NAME}
and listed; --secrets puts them into a file of mode 0600, as systemd reads it.

Examples:
  viable init
  viable init --from ~/.cursor/mcp.json .vscode/mcp.json --output mine.yaml
  viable init --yes --secrets gateway.env`;

export function addInit(program: Command, io: CliIo): void {
  program
    .command('init')
    .description('write a configuration, with the servers that your MCP clients have already')
    .option('--from <file...>', 'files of MCP clients, in place of the usual ones')
    .option('--output <file>', 'the file to write; JSON without comments when it ends in .json', 'gateway.yaml')
    .option('--secrets <file>', 'write the secrets that were found to this file')
    .option('--force', 'overwrite files that exist')
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP)
    .action((_, command: Command) => init(io, command.optsWithGlobals<InitOptions>()));
}

async function init(io: CliIo, options: InitOptions): Promise<void> {
  const { output, secrets: secretsFile, from } = options;
  const json = options.json === true;
  for (const file of [output, secretsFile]) if (file !== undefined) await refuseExisting(file, options.force === true);
  const plan = await io.planSetup({
    files: from?.map((file) => path.resolve(file)) ?? null,
    directory: process.cwd(),
    output,
  });
  const unreadable = from === undefined ? undefined : plan.files.find(({ trouble }) => trouble !== null);
  if (unreadable !== undefined) throw new UsageError(`${unreadable.path}: ${unreadable.trouble ?? ''}.`);
  if (!json) describe(io, plan);
  const question = `Write ${plan.servers.length} ${plan.servers.length === 1 ? 'server' : 'servers'} to ${output}?`;
  if (options.yes !== true && !json && !(await io.confirm(question)))
    throw new RefusedError('declined', 'Nothing was written.', []);
  await write(output, /\.json$/i.test(output) ? plan.json : plan.yaml, options.force === true);
  if (secretsFile !== undefined) await write(secretsFile, environment(plan.variables), options.force === true);
  const wrong = await io.checkSetup(path.resolve(output), plan.variables);
  if (wrong !== null) throw new RefusedError('invalid_configuration', `${output} was written, but:\n${wrong}`, []);
  if (json) printJson(io, { ...withoutText(plan), output, secrets: secretsFile ?? null });
  else printLines(io, next(plan, options));
}

async function refuseExisting(file: string, force: boolean): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) throw new UsageError(`${file} is a folder.`);
  if (found !== undefined && !force)
    throw new RefusedError('file_exists', `${file} exists; give another --output, or --force to overwrite it.`, []);
}

/** For its owner alone, whatever the umask: it may hold more secrets than were found. In one step, so that none reads half a file. */
async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    if (!force) {
      await writeFile(file, text, { flag: 'wx', mode: 0o600 });
      return;
    }
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await chmod(`${file}.new`, 0o600);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function describe(io: CliIo, { files, servers, notes }: SetupPlan): void {
  const found = [
    {
      title: 'CLIENT',
      cell: ({ client }: SetupPlan['files'][number]) => CLIENT_NAMES[client],
    },
    {
      title: 'SERVERS',
      min: 12,
      cell: ({ servers: names, trouble }: SetupPlan['files'][number]) =>
        trouble === null ? names.join(', ') || '–' : span(trouble, 'bad'),
    },
    { title: 'FILE', min: 16, cell: ({ path: file }: SetupPlan['files'][number]) => span(file, 'dim') },
  ];
  printTable(io, found, files, 'No file of an MCP client was found in the usual places; --from names one.');
  if (notes.length > 0) printLines(io, [[], ...notes.map((note) => line(span('▲ ', 'warn'), note, '.'))]);
  if (servers.length > 0) printLines(io, [[]]);
}

function next({ variables, servers }: SetupPlan, { output, secrets: secretsFile }: InitOptions): readonly Line[] {
  const lines: Line[] = [
    line(
      span('✔ ', 'ok'),
      span(output, 'strong'),
      ` has ${servers.length} ${servers.length === 1 ? 'server' : 'servers'}.`,
    ),
  ];
  if (variables.length > 0) {
    lines.push(
      [],
      secretsFile === undefined
        ? line('Set these variables where the gateway is started:')
        : line('Variables, in ', span(secretsFile, 'strong'), ':'),
    );
    const widest = Math.max(...variables.map(({ name }) => textWidth(name)));
    for (const { name, from, description } of variables) {
      const words = `  ${description === null ? '' : `${description}; `}${from}`;
      lines.push(line('  ', ...fitLine([span(name, 'accent')], widest), span(words, 'dim')));
    }
  }
  lines.push([], line(`Next:  viable doctor --config ${output}`), line(`       npm start -- --config ${output}`));
  return lines;
}

/** As `EnvironmentFile=` of systemd and `node --env-file` read it. */
function environment(variables: readonly WantedVariable[]): string {
  return variables
    .map(({ name, value, from }) => {
      const comment = `# ${from.replaceAll(/\s+/g, ' ')}\n`;
      return value === null
        ? `${comment}# ${name}=\n`
        : `${comment}${name}=${quoted(value.replaceAll(/[\r\n]/g, ''))}\n`;
    })
    .join('');
}

function quoted(value: string): string {
  if (/^[\w.:/@%+=,~-]*$/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** For scripts: what was done, without the values of secrets. */
function withoutText({ files, servers, variables, notes }: SetupPlan): object {
  return {
    files,
    servers,
    notes,
    variables: variables.map(({ name, from, description }) => ({ name, from, description })),
  };
}
