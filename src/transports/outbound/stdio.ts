/**
 * Outbound adapter: an MCP server as a child process, one JSON message a line on stdin and stdout.
 *
 * Source: MCP specification 2025-11-25, "Transports › stdio" and "Lifecycle › Shutdown". Invariants: the server and all
 * its children live in one process group that is on record with the reaper before the server runs; when the transport
 * is finished, by whatever road, that group is empty; stdout's junk is counted and survived, within bounds; nothing
 * written by the server can make this file throw.
 */
import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/jsonrpc.js';
import { systemClock, type Clock } from './clock.js';
import { deliver, junk } from './deliver.js';
import { closedByUs, errorCode, openAborted, tooLarge } from './errors.js';
import { resolveLimits, type TransportLimits } from './limits.js';
import { endGroup } from './process-group.js';
import type { Reaper } from './reaper.js';
import { LineSplitter } from './stdio-lines.js';
import { failed, prepare, spawnGated } from './stdio-spawn.js';
import { StderrLines } from './stdio-stderr.js';
import type { OutboundHandlers, OutboundTransport, TransportError } from './transport.js';

export interface StdioOptions extends Partial<TransportLimits> {
  /** A program name looked up on PATH, or a path. Never parsed by a shell. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the inherited allowlist (`INHERITED_ENV`); nothing else is in the server's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names or globs of the gateway's own variables that the server inherits besides the allowlist. */
  readonly inheritEnv?: readonly string[];
  /** Working directory; the gateway's own when absent. */
  readonly cwd?: string;
  /** The process that ends this server should the gateway be killed. */
  readonly reaper: Reaper;
  /** Lines of stderr passed on in a second; the rest is counted. Default 200. */
  readonly maxStderrLinesPerSecond?: number;
  readonly clock?: Clock;
}

const DEFAULT_STDERR_LINES = 200;
/** An unfinished line that cannot be JSON may grow to this size before the server is given up. */
const MAX_JUNK_BYTES = 1024 * 1024;
/** How long a server's group may take to end after its leader exited or broke the protocol. */
const CLEANUP_GRACE_MS = 1_000;
/** How long the last bytes in the pipes may take after the group has ended. */
const DRAIN_MS = 1_000;
/** Exit codes by which a shell says that it could not run a program. */
const NOT_RUN_CODES = [126, 127];

/** A broken pipe. Mostly the first sign of a server's exit, which then says more. */
const CLOSED_INPUT: TransportError = { kind: 'closed', message: 'the server closed its input' };

type Phase = 'new' | 'opening' | 'open' | 'ending' | 'ended';

class StdioTransport implements OutboundTransport {
  readonly network = 'pipe';
  readonly #options: StdioOptions;
  readonly #limits: TransportLimits;
  readonly #handlers: OutboundHandlers;
  readonly #clock: Clock;
  readonly #lines: LineSplitter;
  readonly #stderr: StderrLines;
  readonly #exited: Promise<void>;
  #phase: Phase = 'new';
  #child: ChildProcess | undefined;
  #opening: Promise<TransportError | undefined> | undefined;
  #markExited: () => void = () => undefined;
  #ending: Promise<void> | undefined;
  #corked = false;
  #messages = 0;

  constructor(options: StdioOptions, handlers: OutboundHandlers) {
    this.#options = options;
    this.#limits = resolveLimits(options);
    this.#handlers = handlers;
    this.#clock = options.clock ?? systemClock;
    const { maxMessageBytes } = this.#limits;
    this.#lines = new LineSplitter(
      { maxLineBytes: maxMessageBytes, maxJunkBytes: Math.min(MAX_JUNK_BYTES, maxMessageBytes) },
      (text, bytes, json) => this.#onLine(text, bytes, json),
    );
    this.#stderr = new StderrLines(this.#clock, options.maxStderrLinesPerSecond ?? DEFAULT_STDERR_LINES, (line) =>
      handlers.onStderr(line),
    );
    this.#exited = new Promise((resolve) => (this.#markExited = resolve));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  open(signal: AbortSignal): Promise<TransportError | undefined> {
    if (this.#phase !== 'new') return Promise.resolve(closedByUs());
    this.#phase = 'opening';
    const opening = this.#open(signal);
    this.#opening = opening;
    return opening;
  }

  async #open(signal: AbortSignal): Promise<TransportError | undefined> {
    const { command, args = [], env = {}, inheritEnv, cwd } = this.#options;
    const launch = await prepare({ command, args, env, cwd }, process.env, inheritEnv);
    if ('kind' in launch) return this.#giveUp(launch);
    const early = this.#interrupted(signal);
    if (early !== undefined) return this.#giveUp(early);
    const child = spawnGated(launch);
    const started = await spawned(child);
    if (started !== undefined) return this.#giveUp(failed(`${command} could not be started (${errorCode(started)})`));
    this.#attach(child);
    const recorded = child.pid !== undefined && (await this.#options.reaper.add(child.pid));
    const obstacle = recorded ? this.#interrupted(signal) : failed('the reaper process (/bin/sh) could not be started');
    if (obstacle !== undefined) {
      await this.#end(obstacle, 0);
      return obstacle;
    }
    this.#phase = 'open';
    openGate(child);
    return undefined;
  }

  send(message: JsonRpcMessage): boolean {
    const stdin = this.#child?.stdin;
    if (this.#phase !== 'open' || !stdin?.writable) {
      this.#refuse(message);
      return true;
    }
    if (stdin.writableLength >= this.#limits.maxBufferedBytes) return false;
    // All messages of one turn of the event loop go out in one system call.
    if (!this.#corked) {
      this.#corked = true;
      stdin.cork();
      process.nextTick(this.#uncork);
    }
    stdin.write(`${JSON.stringify(message)}\n`);
    return true;
  }

  setProtocolVersion(): void {
    // Not repeated on this wire.
  }

  listen(): void {
    // stdout is the server's stream.
  }

  abandon(): void {
    // Nothing is held for a request.
  }

  async close(graceMs: number): Promise<void> {
    if (this.#phase === 'new') this.#phase = 'ended';
    if (this.#phase === 'opening') {
      // `open` sees the phase at its next step, and clears away what it has started.
      this.#phase = 'ending';
      await this.#opening;
    }
    if (this.#child !== undefined) await this.#end(closedByUs(), graceMs);
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#child?.stdin?.uncork();
  };

  #refuse(message: JsonRpcMessage): void {
    if (!('method' in message) || !('id' in message)) return;
    const id: JsonRpcId = message.id;
    queueMicrotask(() => this.#handlers.onRequestFailed(id, closedByUs()));
  }

  /** Why `open` must not go on, if so. */
  #interrupted(signal: AbortSignal): TransportError | undefined {
    if (this.#phase !== 'opening') return closedByUs();
    return signal.aborted ? openAborted(this.#options.command) : undefined;
  }

  #giveUp(error: TransportError): TransportError {
    this.#phase = 'ended';
    return error;
  }

  #attach(child: ChildProcess): void {
    this.#child = child;
    // A broken pipe: the server closed its stdin (or died, and 'exit' tells more).
    child.stdin?.on('error', () => void this.#end(CLOSED_INPUT, CLEANUP_GRACE_MS));
    child.stdout?.on('data', (chunk: Buffer) => this.#onStdout(chunk));
    child.stdout?.on('error', () => undefined);
    child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    child.stderr?.on('error', () => undefined);
    child.on('error', () => undefined);
    child.once('exit', () => {
      this.#markExited();
      void this.#end(undefined, CLEANUP_GRACE_MS);
    });
  }

  #onStdout(chunk: Buffer): void {
    if (this.#lines.push(chunk)) return;
    this.#child?.stdout?.destroy();
    void this.#end(tooLarge('a line on stdout', this.#lines.exceeded), CLEANUP_GRACE_MS);
  }

  #onLine(text: string, bytes: number, json: boolean): void {
    if (!json) junk(text, bytes, this.#handlers);
    else if (deliver(text, bytes, this.#handlers) !== 'junk') this.#messages++;
  }

  /** How the server ended, when it did so by itself. */
  #exitError({ exitCode, signalCode }: ChildProcess): TransportError | undefined {
    if (exitCode === null && signalCode === null) return undefined;
    const how = signalCode === null ? `exited with code ${exitCode ?? 0}` : `was ended by ${signalCode}`;
    const words = this.#stderr.last === '' ? '' : `: ${this.#stderr.last}`;
    const neverRan = exitCode !== null && NOT_RUN_CODES.includes(exitCode) && this.#messages === 0;
    return { kind: neverRan ? 'spawn_failed' : 'closed', message: `the server ${how}${words}` };
  }

  /**
   * The one way to the end, walked once: stdin ends, half the grace for the server to leave by itself, SIGTERM, the
   * other half, SIGKILL.
   *
   * @param reason what `onClosed` tells; `CLOSED_INPUT` and undefined give way to how the server ended by itself
   */
  #end(reason: TransportError | undefined, graceMs: number): Promise<void> {
    this.#ending ??= this.#endOnce(reason, graceMs);
    return this.#ending;
  }

  async #endOnce(reason: TransportError | undefined, graceMs: number): Promise<void> {
    const wasOpen = this.#phase === 'open';
    this.#phase = 'ending';
    const child = this.#child;
    let ownEnd: TransportError | undefined;
    if (child?.pid !== undefined) {
      child.stdin?.end();
      const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
      await this.#within(graceMs / 2, this.#exited);
      const byItself = child.exitCode !== null || child.signalCode !== null;
      await endGroup(child.pid, graceMs / 2, this.#clock);
      this.#options.reaper.remove(child.pid);
      await this.#within(DRAIN_MS, closed);
      for (const stream of child.stdio) stream?.destroy();
      // Only now has all of stderr been read.
      if (byItself) ownEnd = this.#exitError(child);
    }
    this.#stderr.end();
    this.#phase = 'ended';
    if (!wasOpen) return;
    const givesWay = reason === undefined || reason === CLOSED_INPUT;
    this.#handlers.onClosed((givesWay ? ownEnd : undefined) ?? reason ?? CLOSED_INPUT);
  }

  /** Waits for an event, at most `ms`. */
  #within(ms: number, event: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      void event.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

function spawned(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}

/** Lets the program behind the gate run. */
function openGate(child: ChildProcess): void {
  const gate = child.stdio[3] as Writable | null | undefined;
  gate?.on('error', () => undefined);
  gate?.end('go\n');
}

/** An MCP server as a child process. See `OutboundTransport` for the contract. */
export function createStdioTransport(options: StdioOptions, handlers: OutboundHandlers): OutboundTransport {
  return new StdioTransport(options, handlers);
}
