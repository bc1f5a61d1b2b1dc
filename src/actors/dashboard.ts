/**
 * Dashboard: runs the terminal dashboard as a child process, so that drawing never costs a request its time, and killing
 * it never touches traffic.
 *
 * Parent: consoles, after the admin endpoint that feeds it. Restart: transient. It ends for good when its user quits it
 * (`q`); Ctrl-C in it stops the gateway, as on any terminal; a crash is a fault, and its supervisor starts it anew until
 * that happens too often, when the log takes the terminal back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';

export type DashboardMessage = {
  readonly type: 'process/exited';
  readonly code: number | null;
  readonly signal: string | null;
};

export interface DashboardDeps {
  readonly log: Logger;
  readonly socketPath: () => string;
  readonly refreshInterval: () => number;
  /** Whether the dashboard has the screen, so that the log must not write there. */
  readonly onScreen: (taken: boolean) => void;
  /** Ctrl-C was pressed in it. */
  readonly onInterrupt: () => void;
  /** Crashes so far, over all incarnations. */
  readonly crashes: { count: number };
}

const PROGRAM = fileURLToPath(new URL('../tui/main.js', import.meta.url));
/** What the dashboard exits with when its user pressed Ctrl-C. */
const EXIT_INTERRUPTED = 130;
/** Below the restart intensity of `consoles`: the admin socket must not be restarted for a broken terminal. */
const MAX_CRASHES = 3;
const KILL_AFTER_MS = 1_000;

export function dashboard(deps: DashboardDeps) {
  return (context: ActorContext<DashboardMessage>): Behavior<DashboardMessage> => new Dashboard(deps, context);
}

class Dashboard implements Behavior<DashboardMessage> {
  readonly #deps: DashboardDeps;
  readonly #context: ActorContext<DashboardMessage>;
  readonly #child: ChildProcess;
  #running = true;

  constructor(deps: DashboardDeps, context: ActorContext<DashboardMessage>) {
    this.#deps = deps;
    this.#context = context;
    deps.onScreen(true);
    const args = [PROGRAM, '--socket', deps.socketPath(), '--interval', String(deps.refreshInterval())];
    this.#child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, VIABLE_EMBEDDED: '1' } });
    const exited = (code: number | null, signal: string | null): void => {
      if (this.#running) context.self.answer({ type: 'process/exited', code, signal });
      this.#running = false;
    };
    this.#child.once('exit', exited);
    this.#child.once('error', () => exited(null, null));
  }

  handle(message: DashboardMessage): void {
    this.#deps.onScreen(false);
    if (message.code === EXIT_INTERRUPTED) {
      this.#deps.onInterrupt();
      return this.#context.exit(NORMAL);
    }
    if (message.code === 0) {
      this.#deps.log.info(
        { event: 'dashboard_closed' },
        'dashboard closed, the gateway goes on; Ctrl-C stops it, `viable top` opens the dashboard again',
      );
      return this.#context.exit(NORMAL);
    }
    this.#deps.crashes.count += 1;
    const how = `the dashboard ended with ${message.signal ?? `code ${message.code ?? '?'}`}`;
    if (this.#deps.crashes.count < MAX_CRASHES) throw new Error(how);
    this.#deps.log.warn({ event: 'dashboard_given_up' }, `${how}, ${MAX_CRASHES} times now; the log goes on here`);
    this.#context.exit(NORMAL);
  }

  async terminate(): Promise<void> {
    if (!this.#running) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGTERM');
    const timer = this.#context.clock.after(KILL_AFTER_MS, () => this.#child.kill('SIGKILL'));
    await gone;
    timer.cancel();
    this.#deps.onScreen(false);
  }
}
