/** A terminal's screen as text with its attributes beside it: what a snapshot on disk holds. */
import type { IBufferCell, Terminal } from '@xterm/headless';
import { screenText } from './screen-svg.js';

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

/** The lines as they stand there, and below them, for each row, which cells are dressed and how: `3: 1-8 cyan bold`. */
export function screenSnapshot(terminal: Terminal): string {
  const rows = Array.from({ length: terminal.rows }, (_, row) => rowStyles(terminal, row));
  const dressed = rows.flatMap((runs, row) => (runs === '' ? [] : [`${row + 1}: ${runs}`]));
  return `${screenText(terminal)}\n\n--- attributes\n${dressed.join('\n')}\n`;
}

function rowStyles(terminal: Terminal, row: number): string {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row);
  const runs: { from: number; to: number; style: string }[] = [];
  for (let column = 0; column < terminal.cols; column += 1) {
    const cell = line?.getCell(column);
    // The second half of a wide character belongs to the first.
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    const last = runs.at(-1);
    if (last !== undefined && last.style === style) last.to = column + cell.getWidth();
    else runs.push({ from: column + 1, to: column + cell.getWidth(), style });
  }
  const shown = runs.filter(({ style }) => style !== '');
  return shown.map(({ from, to, style }) => `${from}-${to} ${style}`).join(', ');
}

function styleOf(cell: IBufferCell): string {
  const color = cell.isFgDefault() ? [] : [colorName(cell.getFgColor())];
  const bold = cell.isBold() === 0 ? [] : ['bold'];
  const inverse = cell.isInverse() === 0 ? [] : ['inverse'];
  return [...color, ...bold, ...inverse].join(' ');
}

/** One of the 16 that a terminal's theme decides about. */
function colorName(value: number): string {
  const name = COLORS[value % 8] ?? String(value);
  return value < 8 ? name : value < 16 ? `bright-${name}` : String(value);
}
