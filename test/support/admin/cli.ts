/** The command line without a process: what it prints, and how it ends. */
import type { CliIo } from '#src/cli/context.js';
import { runCli } from '#src/cli/program.js';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly ran: readonly string[];
}

export interface Settings {
  readonly columns?: number;
  readonly env?: Record<string, string>;
  /** Called after each write, with all output so far. */
  readonly onOutput?: (out: string, stop: () => void) => void;
  readonly onSleep?: (ms: number, stop: () => void) => void;
}

/** Where nothing is written, nobody waits, and no process is started. */
export function io(parts: Partial<CliIo> = {}): CliIo {
  const elsewhere = (): Promise<never> => Promise.reject(new Error('not in this process'));
  return {
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    env: {},
    signal: new AbortController().signal,
    sleep: () => Promise.resolve(),
    serveStdio: elsewhere,
    startGateway: elsewhere,
    openTokens: elsewhere,
    verifyToken: elsewhere,
    examine: elsewhere,
    planSetup: elsewhere,
    checkSetup: elsewhere,
    confirm: () => Promise.resolve(true),
    run: elsewhere,
    ...parts,
  };
}

/** One command line in this process, on a terminal that is none. */
export async function run(line: string, settings: Settings = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const ran: string[] = [];
  const stop = new AbortController();
  const halt = (): void => stop.abort();
  const tty = settings.columns === undefined ? {} : { isTTY: true, columns: settings.columns };
  const code = await runCli(
    line.split(' '),
    io({
      stdout: {
        ...tty,
        write: (text) => {
          out += text;
          settings.onOutput?.(out, halt);
        },
      },
      stderr: { write: (text) => (err += text) },
      env: settings.env ?? {},
      signal: stop.signal,
      sleep: async (ms) => settings.onSleep?.(ms, halt),
      run: async (file, args) => {
        ran.push(file, ...args);
        return 7;
      },
    }),
  );
  return { code, out, err, ran };
}
