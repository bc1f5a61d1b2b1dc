/** `viable stdio`: the bridge on the streams of this process. stdout carries JSON-RPC and nothing else. */
import { type Readable, type Writable } from 'node:stream';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { stripControl } from '../protocol/text.js';
import { LineSplitter } from '../transports/outbound/stdio-lines.js';
import { Bridge } from './bridge.js';
import { MAX_MESSAGE_BYTES, Remote, UnreachableError } from './remote.js';

export interface StdioStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: { write(text: string): unknown };
  /** `VIABLE_TOKEN` is shown to a gateway that asks for one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const LIMITS = { maxLineBytes: MAX_MESSAGE_BYTES, maxJunkBytes: MAX_MESSAGE_BYTES };

/** Resolves when the client has closed stdin, or `signal` has aborted, and the session is deleted. */
export async function runBridge(
  { stdin, stdout, stderr, env }: StdioStreams,
  locate: () => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  let drained: Promise<unknown> | null = null;
  const bridge = new Bridge({
    remote: new Remote(env?.['VIABLE_TOKEN']),
    locate: () =>
      locate().catch((error: unknown) => {
        throw new UnreachableError(error instanceof Error ? error.message : 'it cannot be found', { cause: error });
      }),
    write: async (line) => {
      if (stdout.write(`${line}\n`)) return;
      drained ??= once(stdout, 'drain').then(() => (drained = null));
      await drained;
    },
    log: (text) => void stderr.write(`viable stdio: ${stripControl(text, 500)}\n`),
    sleep: async (ms, stop) => {
      await delay(ms, undefined, { signal: stop }).catch(() => undefined);
    },
  });
  const lines = new LineSplitter(LIMITS, (text) => bridge.line(text));
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop);
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      if (!lines.push(chunk)) throw new Error(`a line is longer than ${MAX_MESSAGE_BYTES} bytes`);
    }
    lines.push(Buffer.from('\n')); // the last line may lack its end
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await bridge.close(signal.aborted ? 0 : undefined);
  }
}
