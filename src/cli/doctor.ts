/** `viable doctor`: looks at configuration, machine and upstreams, and says what to do. */
import type { Command } from 'commander';
import { cutLine, fitLine, line, lineWidth, span, type Line, type Tone } from '../admin/view/line.js';
import { textWidth } from '../admin/view/text.js';
import type { Check, Verdict } from '../doctor/check.js';
import { outputWidth, printJson, printLines, type CliIo, type GlobalOptions } from './context.js';
import { EXIT_CODES } from './exit-codes.js';
import { duration } from './parse.js';

interface DoctorOptions extends GlobalOptions {
  readonly config?: string;
  readonly timeout: number;
  readonly start?: true;
}

const HELP = `
Looks, and changes nothing. The exit code is ${EXIT_CODES.ok} without a failure, warnings or not, and ${EXIT_CODES.refused} with one.
Only --start runs commands of the configuration; without it they are merely looked for.

Examples:
  viable doctor --config gateway.yaml
  viable doctor --config gateway.yaml --start --timeout 20s
  viable doctor --json | jq '.checks[] | select(.verdict != "ok")'`;

/** @param finish takes the exit code */
export function addDoctor(program: Command, io: CliIo, finish: (code: number) => void): void {
  program
    .command('doctor')
    .description('check configuration, port, secrets, certificate, clock and upstreams, and say what to do')
    .option('--config <file>', 'configuration file (default: VIABLE_CONFIG, or the demo)')
    .option('--timeout <time>', 'the longest wait for an upstream, an issuer or a collector', duration, 5_000)
    .option('--start', 'start each stdio server, too, and shake hands with it')
    .addHelpText('after', HELP)
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>();
      finish(await doctor(io, options));
    });
}

async function doctor(io: CliIo, options: DoctorOptions): Promise<number> {
  const checks: Check[] = [];
  const json = options.json === true;
  const live = !json && io.stdout.isTTY === true;
  const width = outputWidth(io);
  await io.examine(
    {
      ...(options.config !== undefined && { config: options.config }),
      timeoutMs: options.timeout,
      start: options.start === true,
    },
    {
      begin: (subject) => {
        // No line end: what is found out takes its place.
        if (live) io.stdout.write(`◌ ${plain(`${subject} …`, (width ?? 80) - 3)}`);
      },
      found: (check) => {
        checks.push(check);
        if (live) io.stdout.write(CLEAR_LINE);
        if (!json) printLines(io, checkLines(check, width));
      },
    },
  );
  if (live) io.stdout.write(CLEAR_LINE);
  const failed = checks.filter(({ verdict }) => verdict === 'fail').length;
  const warned = checks.filter(({ verdict }) => verdict === 'warning').length;
  if (json) printJson(io, { ok: failed === 0, failed, warned, checks });
  else printLines(io, [[], summary(checks.length, failed, warned)]);
  return failed === 0 ? EXIT_CODES.ok : EXIT_CODES.refused;
}

const CLEAR_LINE = '\r\u001b[K';

const MARKS: Readonly<Record<Verdict, { readonly symbol: string; readonly tone: Tone }>> = {
  ok: { symbol: '✔', tone: 'ok' },
  warning: { symbol: '▲', tone: 'warn' },
  fail: { symbol: '✖', tone: 'bad' },
};

const SUBJECT_WIDTH = 20;

/** The finding, broken over lines at `width`, and below it what to do. */
export function checkLines({ subject, verdict, message, advice }: Check, width: number | undefined): readonly Line[] {
  const { symbol, tone } = MARKS[verdict];
  const name = `${symbol} `;
  const label = lineWidth([span(subject)]) > SUBJECT_WIDTH ? line(subject) : fitLine([span(subject)], SUBJECT_WIDTH);
  // In a narrow terminal, what is said begins on a line of its own.
  const narrow = width !== undefined && width < 60;
  const indent = narrow ? 4 : SUBJECT_WIDTH + 4;
  const room = width === undefined ? Infinity : Math.max(16, width - indent);
  const said = wrap(`${verdict === 'ok' ? '' : `${verdict}: `}${message}`, room).map((text) =>
    span(text, verdict === 'ok' ? 'plain' : tone),
  );
  const todo = advice === undefined ? [] : wrap(`→ ${advice}`, room).map((text) => span(text));
  const head: Line = [span(name, tone), ...label.map(({ text }) => span(text, 'strong'))];
  const overflows = narrow || lineWidth(label) > SUBJECT_WIDTH;
  const [first, ...rest] = said;
  const body = [...(overflows && first !== undefined ? [first] : []), ...rest, ...todo];
  return [
    overflows
      ? width === undefined
        ? head
        : cutLine(head, width)
      : [...head, span('  '), ...(first === undefined ? [] : [first])],
    ...body.map((text) => line(' '.repeat(indent), text)),
  ];
}

/** Words on lines of at most `width` cells. A word that is longer gets a line of its own and is not cut. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last) + 1 + textWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function plain(text: string, width: number): string {
  return cutLine([span(text)], width)
    .map((part) => part.text)
    .join('');
}

function summary(total: number, failed: number, warned: number): Line {
  if (failed > 0)
    return line(
      span(`${failed} failed`, 'bad'),
      `, ${warned} ${warned === 1 ? 'warning' : 'warnings'}, of ${total} checks.`,
    );
  if (warned > 0) return line(span(`Nothing failed`, 'ok'), `; ${warned} of ${total} checks warn.`);
  return line(span('All is well', 'ok'), `: ${total} checks.`);
}
