/**
 * What every subcommand works with: the terminal it writes to and the gateway it speaks to.
 *
 * Invariant: everything printed for people goes through `Line`, hence is stripped of control characters; `--json`
 * prints JSON, which escapes them.
 */
import { connectAdmin, discoverSocket, type AdminClient } from '../admin/client.js';
import { span, type Line } from '../admin/view/line.js';
import { paintLine } from '../admin/view/paint.js';
import type { SetupPlan, SetupRequest, WantedVariable } from '../setup/plan.js';
import type { ExamineOptions, Observer } from '../doctor/check.js';
import { layoutTable, type Column } from '../admin/view/table.js';
import { EXIT_CODES } from './exit-codes.js';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface CliIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on Ctrl-C and when the reader of stdout goes. */
  readonly signal: AbortSignal;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number): Promise<void>;
  /** Runs a program on this terminal; resolves with its exit code. */
  run(file: string, args: readonly string[]): Promise<number>;
  /** Serves MCP on stdin and stdout, until stdin ends. `url` is the endpoint; asked again after every loss of it. */
  serveStdio(url: () => Promise<string>): Promise<void>;
  /** Starts a gateway in this process; `config` absent: the demo servers. Rejects with what is wrong with `config`. */
  startGateway(config: string | undefined): Promise<LocalGateway>;
  /** Tokens with the secrets of the environment, or of `config`. Rejects with what is wrong with those. */
  openTokens(config: string | undefined): Promise<Tokens>;
  /** Checks a token with a file of public keys. Rejects when the file cannot be read. */
  verifyToken(token: string, jwks: string): Promise<CheckedToken>;
  /** Looks at configuration, machine and upstreams, and tells what it finds. Never rejects because of that. */
  examine(options: ExamineOptions, observer: Observer): Promise<void>;
  /** Reads the files of MCP clients and makes a configuration of them. Writes nothing. */
  planSetup(request: SetupRequest): Promise<SetupPlan>;
  /** What is wrong with a configuration file, when its variables are set; `null` when nothing is. */
  checkSetup(file: string, variables: readonly WantedVariable[]): Promise<string | null>;
  /** Asks for yes or no. Yes where nobody can be asked. */
  confirm(question: string): Promise<boolean>;
}

/** Why a token is refused, or whose it is. Times in epoch milliseconds. */
export type CheckedToken =
  | { readonly valid: false; readonly reason: string }
  | {
      readonly valid: true;
      readonly algorithm: string;
      readonly subject: string | null;
      readonly role: string | null;
      readonly permissions: readonly string[];
      readonly expiresAt: number | null;
    };

/** Makes and reads tokens. */
export interface Tokens {
  create(
    subject: string,
    options: {
      readonly role?: 'admin' | 'premium' | 'user' | 'guest';
      readonly permissions?: readonly string[];
      /** Seconds that it lasts. */
      readonly exp?: number;
    },
  ): Promise<string>;
  verify(token: string): Promise<CheckedToken>;
  refresh(
    token: string,
  ): Promise<
    | { readonly ok: true; readonly token: string; readonly renewed: boolean }
    | { readonly ok: false; readonly error: string; readonly fault: string }
  >;
}

/** A gateway in this process. */
export interface LocalGateway {
  readonly url: string;
  stop(): Promise<void>;
}

/** Options that stand before or after any subcommand. */
export interface GlobalOptions {
  readonly socket?: string;
  readonly port?: number;
  readonly json?: boolean;
}

/** The command line is wrong in a way that commander does not see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = EXIT_CODES.usage;
}

/** A name the gateway does not know. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly exitCode = EXIT_CODES.refused;
  readonly code: string;
  readonly suggestions: readonly string[];

  constructor(code: string, message: string, suggestions: readonly string[]) {
    super(message);
    this.code = code;
    this.suggestions = suggestions;
  }
}

/** Columns of the terminal, `undefined` when the output is a file or pipe: nothing is cut there. */
export function outputWidth({ stdout }: CliIo): number | undefined {
  return stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
}

export function colorful(output: Output, env: CliIo['env']): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

export function printLines(io: CliIo, lines: readonly Line[]): void {
  const color = colorful(io.stdout, io.env);
  const attributes = io.stdout.isTTY === true && io.env['TERM'] !== 'dumb';
  io.stdout.write(lines.map((spans) => `${paintLine(spans, { color, attributes }).trimEnd()}\n`).join(''));
}

export function printTable<Row>(io: CliIo, columns: readonly Column<Row>[], rows: readonly Row[], none: string): void {
  if (rows.length === 0) {
    printLines(io, [[span(none, 'dim')]]);
    return;
  }
  const table = layoutTable(columns, rows, outputWidth(io));
  printLines(io, [table.header, ...table.rows]);
}

export function printJson(io: CliIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, io.stdout.isTTY === true ? 2 : undefined)}\n`);
}

/** Connects, works, closes. */
export async function withGateway<T>(
  io: CliIo,
  options: GlobalOptions,
  work: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const client = await connectAdmin(discoverSocket(options, io.env));
  const stop = (): void => client.close();
  io.signal.addEventListener('abort', stop);
  try {
    return await work(client);
  } finally {
    io.signal.removeEventListener('abort', stop);
    client.close();
  }
}
