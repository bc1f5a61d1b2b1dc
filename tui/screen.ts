/**
 * The blessed screen: one box that holds the composed lines and one blessed-contrib chart over it.
 *
 * Only this file touches blessed. Its tables of wide characters end before emoji, which shifts everything right of one;
 * they are replaced by the widths that the lines were composed with.
 */
import blessed, { type Widgets } from 'blessed';
import lineChart from 'blessed-contrib/lib/widget/charts/line.js';
import type { Readable, Writable } from 'node:stream';
import { paintLine } from '#src/admin/view/paint.js';
import { characterWidth } from '#src/admin/view/text.js';
import type { Composed } from './compose.js';
import type { MouseEvent } from './mouse.js';
import type { Rectangle } from './page.js';
import type { Key } from './state.js';

/** Bytes waiting for the terminal above which a frame is left out. */
const CONGESTED_BYTES = 65_536;
const SECONDS = 60;
/** As many terminals know it, whatever TERM says: colours, alternate screen, UTF-8. */
const TERMINAL = 'xterm-256color';

export interface ScreenOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly color: boolean;
}

export class DashboardScreen {
  readonly #screen: Widgets.Screen;
  readonly #box: Widgets.BoxElement;
  readonly #chart: lineChart.LineChart;
  readonly #options: ScreenOptions;
  #chartPlace: string | undefined;

  constructor(options: ScreenOptions) {
    this.#options = options;
    // Without it blessed draws frames in the VT100 character set, which some terminals show as letters.
    process.env['NCURSES_NO_UTF8_ACS'] = '1';
    useOurWidths();
    // `object`: the type declarations have input and output the wrong way round.
    this.#screen = blessed.screen({
      input: options.input,
      output: options.output,
      terminal: TERMINAL,
      fullUnicode: true,
      forceUnicode: true,
      smartCSR: true,
      resizeTimeout: 50,
    } as object);
    // Clicks and the wheel; not motion, which would be a flood of events that mean nothing here.
    this.#program.setMouse({ vt200Mouse: true, sgrMouse: true }, true);
    this.#box = blessed.box({ parent: this.#screen, top: 0, left: 0, width: '100%', height: '100%' });
    keepLines(this.#box);
    this.#chart = lineChart({
      screen: this.#screen,
      wholeNumbersOnly: true,
      abbreviate: true,
      style: chartStyle(options.color),
    });
    keepLines(this.#chart);
    // The chart would leave room for a border of its own; it stands in one of ours.
    this.#chart.calcSize = function (this: lineChart.LineChart): void {
      this.canvasSize = { width: Math.max(2, Number(this.width) * 2), height: Math.max(4, Number(this.height) * 4) };
    };
  }

  get columns(): number {
    return Number(this.#screen.width);
  }

  get rows(): number {
    return Number(this.#screen.height);
  }

  get #program(): MouseProgram {
    return this.#screen.program;
  }

  /** The terminal has not taken what was written before: drawing more would only make it later. */
  get congested(): boolean {
    return this.#options.output.writableLength > CONGESTED_BYTES;
  }

  onKey(listener: (key: Key) => void): void {
    this.#screen.on('keypress', (text: string | undefined, key: { readonly full: string; readonly name?: string }) => {
      // blessed reports the return key twice, as `return` and as `enter`.
      if (key.name !== 'return') listener({ full: key.full, text: key.full.startsWith('C-') ? undefined : text });
    });
  }

  onMouse(listener: (event: MouseEvent) => void): void {
    this.#program.on('mouse', ({ action, button, x, y }) => {
      if (action === 'wheelup' || action === 'wheeldown') listener({ kind: action, x, y });
      else if (action === 'mousedown' && button === 'left') listener({ kind: 'click', x, y });
    });
  }

  onResize(listener: () => void): void {
    this.#screen.on('resize', listener);
  }

  draw(composed: Composed, perSecond: readonly number[]): void {
    const { color } = this.#options;
    const [from, to] = composed.faded;
    const painted = composed.lines.map((spans, row) =>
      paintLine(spans, { color, attributes: true, faded: row >= from && row < to }),
    );
    this.#box.setContent(painted.join('\n'));
    this.#drawChart(composed.chart, perSecond, to > from);
    this.#screen.render();
  }

  /** Everything anew, for after something else has written to the terminal. */
  redraw(): void {
    this.#screen.realloc();
    this.#screen.render();
  }

  /** Gives the terminal back as it was. Idempotent. */
  destroy(): void {
    this.#program.setMouse({ vt200Mouse: false, sgrMouse: false }, false);
    this.#screen.destroy();
  }

  #drawChart(place: Rectangle | undefined, perSecond: readonly number[], faded: boolean): void {
    const name = place === undefined ? undefined : JSON.stringify(place);
    if (name !== this.#chartPlace) {
      this.#chartPlace = name;
      // The chart makes its canvas, of the size it then has, when it is attached.
      this.#chart.detach();
      if (place !== undefined) {
        Object.assign(this.#chart.position, place);
        this.#screen.append(this.#chart);
      }
    }
    if (place === undefined) return;
    const most = Math.max(...perSecond);
    // The chart draws its line two pixels too high: leave it room.
    this.#chart.options.maxY = roundUp(most * 1.15);
    // Dots, two a cell: `600`, `1.5k`.
    const label = most >= 1_000 ? 8 : 6;
    Object.assign(this.#chart.options, { xPadding: label, xLabelPadding: label });
    this.#chart.options.numYLabels = place.height >= 8 ? 4 : 2;
    const style = { line: this.#options.color && !faded ? 'cyan' : 'normal' };
    this.#chart.setData([{ x: secondLabels(), y: padded(perSecond), style }]);
  }
}

/** A round figure a little above `value`, so that the axis keeps still while the line moves. */
export function roundUp(value: number): number {
  const wanted = Math.max(4, value);
  const magnitude = 10 ** Math.floor(Math.log10(wanted));
  const steps = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10];
  return (steps.find((step) => step * magnitude >= wanted) ?? 10) * magnitude;
}

/** Before the gateway ran there were no messages. */
function padded(perSecond: readonly number[]): readonly number[] {
  const shown = perSecond.slice(-SECONDS);
  return [...Array.from({ length: SECONDS - shown.length }, () => 0), ...shown];
}

function secondLabels(): readonly string[] {
  return Array.from({ length: SECONDS }, (_, second) => `-${SECONDS - second}s`);
}

/** The chart knows the eight names of the palette, and `normal`. */
function chartStyle(color: boolean): { line: string; text: string; baseline: string } {
  return { line: color ? 'cyan' : 'normal', text: 'normal', baseline: color ? 'blue' : 'normal' };
}

/** What the type declarations of blessed's program lack. */
interface MouseProgram {
  setMouse(modes: Readonly<Record<'vt200Mouse' | 'sgrMouse', boolean>>, enable: boolean): void;
  on(event: 'mouse', listener: (event: BlessedMouse) => void): void;
}

interface BlessedMouse {
  readonly action: 'mousedown' | 'mouseup' | 'mousemove' | 'wheelup' | 'wheeldown';
  readonly button: string;
  readonly x: number;
  readonly y: number;
}

/** The lines fit already; blessed counts them in UTF-16 units and would break those with emoji or dots. */
function keepLines(box: Widgets.BoxElement): void {
  const wrap = (content: string): readonly string[] => {
    const lines = content.split('\n');
    const places = lines.map((_, index) => index);
    return Object.assign(lines, { fake: lines, real: lines, rtof: places, ftor: places.map((at) => [at]), mwidth: 0 });
  };
  Object.assign(box, { _wrapContent: wrap });
}

interface BlessedUnicode {
  charWidth(text: string | number, index?: number): number;
  readonly chars: { all: { [Symbol.replace](text: string): string } };
}

function useOurWidths(): void {
  const { unicode } = blessed as unknown as { readonly unicode: BlessedUnicode };
  unicode.charWidth = (text, index = 0) => {
    const point = typeof text === 'number' ? text : (text.codePointAt(index) ?? 0);
    if (point < 0x20) return 0;
    return point < 0x7f ? 1 : characterWidth(String.fromCodePoint(point));
  };
  // blessed puts a filler (U+0003) behind each wide character, whose cell drawing then skips.
  unicode.chars.all = {
    [Symbol.replace]: (text) => {
      let marked = '';
      for (const character of text) marked += characterWidth(character) === 2 ? `${character}\u0003` : character;
      return marked;
    },
  };
}
