/**
 * Pictures of the dashboard for the README: starts it on a headless terminal in front of a gateway's admin socket.
 */
import { startDashboard } from '#src/tui/app.js';
import { FakeTerminal } from './fake-terminal.js';
import { renderScreenSvg, screenText } from './screen-svg.js';

export interface ScreenshotOptions {
  readonly socket: string;
  readonly columns: number;
  readonly rows: number;
  /** Typed once figures are on the screen: `2` for the tree, `5` for the log. */
  readonly keys?: string;
  /** Seen on the screen when it is ready to be taken. */
  readonly expect: string | RegExp;
}

export interface Screenshot {
  readonly text: string;
  readonly svg: string;
}

export async function takeScreenshot(options: ScreenshotOptions): Promise<Screenshot> {
  const terminal = new FakeTerminal(options.columns, options.rows);
  const { socket } = options;
  const dashboard = startDashboard({
    input: terminal.input,
    output: terminal.output,
    color: true,
    socket,
    intervalMs: 1_000,
  });
  try {
    await terminal.shows(/[●◌◐■] (?:running|starting|draining|stopping)/u);
    terminal.type(options.keys ?? '');
    await terminal.shows(options.expect);
    return { text: screenText(terminal.screen), svg: renderScreenSvg(terminal.screen) };
  } finally {
    dashboard.stop();
    await dashboard.done;
  }
}
