/**
 * A terminal's screen as text, and as a standalone SVG for the README: cells, colours, bold and inverse, no script, no
 * outside font.
 */
import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 18;
const PADDING = 12;
const FOREGROUND = '#d8dee9';
const BACKGROUND = '#12161e';
const PALETTE = [
  ...['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'],
  ...['#6b7689', '#ff7b86', '#b5e890', '#ffd68a', '#8cc8ff', '#e29bf2', '#7fe0ea', '#ffffff'],
] as const;

const BRAILLE = /^[\u2800-\u28ff]+$/u;
/** Characters that keep their width next to others of their kind: ASCII, frames, Braille. */
const KINDS: readonly RegExp[] = [/^[\x20-\x7e]+$/, /^[\u2500-\u257f]+$/u, BRAILLE];

interface Style {
  readonly fill: string;
  readonly back: string | null;
  readonly bold: boolean;
}

interface Run {
  readonly style: Style;
  readonly column: number;
  text: string;
  cells: number;
}

/** Lines as they stand on the screen, without the spaces at their ends. */
export function screenText(terminal: Terminal): string {
  const { active } = terminal.buffer;
  const lines = Array.from({ length: terminal.rows }, (_, row) => active.getLine(active.viewportY + row));
  return lines.map((line) => line?.translateToString(true) ?? '').join('\n');
}

/** The screen as one SVG element, one `text` for each run of cells of one style, each placed on the cell grid. */
export function renderScreenSvg(terminal: Terminal): string {
  const width = Math.ceil(terminal.cols * CELL_WIDTH + 2 * PADDING);
  const height = Math.ceil(terminal.rows * CELL_HEIGHT + 2 * PADDING);
  const body = Array.from({ length: terminal.rows }, (_, row) =>
    rowRuns(terminal, row).map((run) => drawRun(run, row)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14">`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    ...body.flat(),
    '</svg>\n',
  ].join('\n');
}

function rowRuns(terminal: Terminal, row: number): readonly Run[] {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row);
  const runs: Run[] = [];
  let last: Run | undefined;
  for (let column = 0; column < terminal.cols; column += 1) {
    const cell = line?.getCell(column);
    const cells = cell?.getWidth() ?? 1;
    // The second half of a wide character.
    if (cell === undefined || cells === 0) continue;
    const style = styleOf(cell);
    const text = cell.getChars() === '' ? ' ' : cell.getChars();
    const kind = KINDS.find((known) => known.test(text));
    // Characters that a font may draw wider or narrower than a cell stand alone, so that they shift nothing.
    if (last !== undefined && kind?.test(last.text) === true && sameStyle(last.style, style)) {
      last.text += text;
      last.cells += cells;
    } else {
      last = { style, column, text, cells };
      runs.push(last);
    }
  }
  return runs.filter(({ text, style }) => text.trim() !== '' || style.back !== null);
}

function drawRun({ style, column, text, cells }: Run, row: number): string {
  const x = round(PADDING + column * CELL_WIDTH);
  const y = PADDING + row * CELL_HEIGHT;
  const width = round(cells * CELL_WIDTH);
  const back =
    style.back === null
      ? ''
      : `<rect x="${x}" y="${y}" width="${width}" height="${CELL_HEIGHT}" fill="${style.back}"/>`;
  if (text.trim() === '') return back;
  if (BRAILLE.test(text)) return back + drawDots(text, x, y, style.fill);
  const bold = style.bold ? ' font-weight="bold"' : '';
  const fit = `textLength="${width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"`;
  return `${back}<text x="${x}" y="${y + 13}" fill="${style.fill}"${bold} ${fit}>${escapeXml(text)}</text>`;
}

/** Column and row of each bit of a Braille character. */
const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
] as const;

/** Braille as round dots on the grid: few fonts have it, and hardly one in the width of its letters. */
function drawDots(text: string, x: number, y: number, fill: string): string {
  const dots = Array.from(text).flatMap((character, index) => {
    const bits = (character.codePointAt(0) ?? 0) - 0x2800;
    const set = DOTS.filter((_, bit) => (bits & (1 << bit)) !== 0);
    return set.map(([column, row]) => {
      const left = x + (index + 0.25 + column / 2) * CELL_WIDTH;
      return `M${round(left)} ${round(y + (0.125 + row / 4) * CELL_HEIGHT)}h0`;
    });
  });
  return `<path d="${dots.join('')}" stroke="${fill}" stroke-width="2" stroke-linecap="round"/>`;
}

function styleOf(cell: IBufferCell): Style {
  const fore = cell.isFgDefault() ? FOREGROUND : color(cell.getFgColor(), cell.isFgRGB());
  const back = cell.isBgDefault() ? null : color(cell.getBgColor(), cell.isBgRGB());
  const bold = cell.isBold() !== 0;
  return cell.isInverse() === 0 ? { fill: fore, back, bold } : { fill: back ?? BACKGROUND, back: fore, bold };
}

/** 16 named colours, the 6×6×6 cube, the greys, or a plain RGB value. */
function color(value: number, rgb: boolean): string {
  if (rgb) return `#${value.toString(16).padStart(6, '0')}`;
  const named = PALETTE[value];
  if (named !== undefined) return named;
  if (value >= 232) return hex(8 + (value - 232) * 10, 8 + (value - 232) * 10, 8 + (value - 232) * 10);
  const index = value - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  return hex(level(Math.floor(index / 36)), level(Math.floor(index / 6) % 6), level(index % 6));
}

function hex(...channels: readonly number[]): string {
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function sameStyle(one: Style, other: Style): boolean {
  return one.fill === other.fill && one.back === other.back && one.bold === other.bold;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character] ?? character);
}
