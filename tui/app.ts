/**
 * The dashboard: keys and figures in, frames out. Ties the feed, the state and the screen together.
 *
 * Frames are at most one in 40 ms, and none while the terminal still has the last one to take, so that no refresh rate
 * and no slow terminal can make it fall behind.
 */
import { connectAdmin } from '#src/admin/client.js';
import { composeScreen } from './compose.js';
import type { Wanted } from '#src/admin/view/wanted.js';
import { Feed } from './feed.js';
import { point, type MouseEvent } from './mouse.js';
import type { ScreenLayout } from './page.js';
import { DashboardScreen, type ScreenOptions } from './screen.js';
import { chosenKey, initialState, press, type Key, type UiState } from './state.js';

const FRAME_MS = 40;
const INTERRUPTED = 130;

export interface DashboardOptions extends ScreenOptions {
  readonly socket: string;
  readonly intervalMs: number;
  readonly schedule?: (ms: number, task: () => void) => () => void;
  /** Called when the connection to the gateway is lost; `true` ends the dashboard. */
  readonly onLost?: () => boolean;
}

export interface Dashboard {
  /** Exit code: 0 after `q` or `stop`, 130 after Ctrl-C. */
  readonly done: Promise<number>;
  stop(): void;
}

export function startDashboard(options: DashboardOptions): Dashboard {
  const app = new App(options);
  return { done: app.done, stop: () => app.finish(0) };
}

class App {
  readonly done: Promise<number>;
  readonly #options: DashboardOptions;
  readonly #schedule: (ms: number, task: () => void) => () => void;
  readonly #screen: DashboardScreen;
  readonly #feed: Feed;
  #state: UiState;
  #layout: ScreenLayout = { panes: [], tabs: [] };
  #cancelFrame: (() => void) | undefined;
  #resolve: (code: number) => void = () => undefined;
  #finished = false;

  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? afterTimeout;
    this.#state = initialState(options.intervalMs);
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#screen = new DashboardScreen(options);
    this.#feed = new Feed({
      connect: () => connectAdmin(options.socket),
      intervalMs: options.intervalMs,
      onChange: () => this.#changed(),
      schedule: this.#schedule,
    });
    this.#screen.onKey((key) => this.#press(key));
    this.#screen.onMouse((event) => this.#point(event));
    this.#screen.onResize(() => this.#draw());
    this.#draw();
    this.#feed.start();
  }

  finish(code: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#cancelFrame?.();
    this.#feed.stop();
    this.#screen.destroy();
    this.#resolve(code);
  }

  #press(key: Key): void {
    if (this.#finished) return;
    if (key.full === 'C-c') {
      this.finish(INTERRUPTED);
    } else if (key.full === 'q' && !this.#busy) {
      this.finish(0);
    } else if (key.full === 'C-l') {
      this.#screen.redraw();
    } else {
      this.#state = press(this.#state, key, this.#feed.view, this.#layout);
      if (this.#state.quit) return this.finish(0);
      this.#obey();
      this.#feed.setInterval(this.#state.intervalMs);
      this.#draw();
    }
  }

  #point(event: MouseEvent): void {
    if (this.#finished) return;
    this.#state = point(this.#state, event, this.#layout);
    this.#draw();
  }

  /** Somebody types, or is being asked: keys are theirs. */
  get #busy(): boolean {
    const { typing, line, asked } = this.#state;
    return typing || line !== null || asked !== null;
  }

  /** Sends what was ordered and shows how it ended. */
  #obey(): void {
    const { ordered } = this.#state;
    if (ordered === null) return;
    this.#state = { ...this.#state, ordered: null };
    const tell = (text: string, good: boolean): void => {
      this.#state = { ...this.#state, told: { text, good } };
      this.#draw();
    };
    this.#feed.request(ordered.method, ordered.params).then(
      () => tell(ordered.title, true),
      (error: unknown) => tell(error instanceof Error ? error.message : String(error), false),
    );
  }

  #changed(): void {
    if (this.#feed.view.link === 'lost' && this.#options.onLost?.() === true) this.finish(0);
    else if (this.#cancelFrame === undefined && !this.#finished) this.#nextFrame();
  }

  #nextFrame(): void {
    this.#cancelFrame = this.#schedule(FRAME_MS, () => {
      this.#cancelFrame = undefined;
      if (this.#screen.congested) this.#nextFrame();
      else this.#draw();
    });
  }

  #draw(): void {
    if (this.#finished) return;
    const view = this.#feed.view;
    const composed = composeScreen(this.#state, view, this.#screen.columns, this.#screen.rows);
    this.#layout = composed.layout;
    this.#feed.want(wantedBy(this.#state, this.#layout));
    this.#screen.draw(composed, (this.#state.frozen ?? view).snapshot?.throughput.perSecond ?? []);
  }
}

/** What the page needs beyond the snapshot. */
function wantedBy({ page, opened }: UiState, layout: ScreenLayout): Wanted | null {
  const chosen = chosenKey(layout);
  if (page === 'connections') return { what: 'connections' };
  if (page === 'logs') return { what: 'traces' };
  if (page === 'upstreams' && chosen !== null) return { what: 'tools', server: chosen };
  if (page === 'tree' && opened !== null) return { what: 'messages', actor: opened };
  return null;
}

function afterTimeout(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, ms);
  return () => clearTimeout(timer);
}
