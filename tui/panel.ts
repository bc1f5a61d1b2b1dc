/** Rectangles of lines: framed, side by side, one over another. Pure. */
import { cutLine, fitLine, lineWidth, span, type Line, type Span, type Tone } from '#src/admin/view/line.js';
import { characterWidth, textWidth } from '#src/admin/view/text.js';

/** Lines that are all of one width. */
export type Block = readonly Line[];

const FRAME: Tone = 'dim';
/** Cells that a figure leaves to its name. */
const SHORTEST_NAME = 8;

/** Thin, and thick for the pane that the keys go to: seen without colour too. */
const FRAMES = {
  thin: { tone: FRAME, corners: ['╭', '╮', '╰', '╯'], across: '─', down: '│' },
  thick: { tone: 'accent', corners: ['┏', '┓', '┗', '┛'], across: '━', down: '┃' },
} as const;

/** `content` in a frame of exactly `width` × `height` cells; what does not fit is cut. */
export function panel(title: string | Line, content: Block, width: number, height: number, focused = false): Block {
  if (width < 4 || height < 2) return blank(width, height);
  const { tone, corners, across, down } = FRAMES[focused ? 'thick' : 'thin'];
  const inner = width - 2;
  const label = typeof title === 'string' ? [span(title, 'strong')] : title;
  const shown = cutLine(label, inner - 4);
  const rest = across.repeat(Math.max(0, inner - 3 - lineWidth(shown)));
  const top: Line = [span(`${corners[0]}${across} `, tone), ...shown, span(` ${rest}${corners[1]}`, tone)];
  const body = Array.from({ length: height - 2 }, (_, row): Line => {
    return [span(down, tone), ...fitLine(content[row] ?? [], inner), span(down, tone)];
  });
  return [top, ...body, [span(`${corners[2]}${across.repeat(inner)}${corners[3]}`, tone)]];
}

export function blank(width: number, height: number): Block {
  return Array.from({ length: Math.max(0, height) }, () => [span(' '.repeat(Math.max(0, width)))]);
}

/** Blocks of the same height, left to right. */
export function beside(...blocks: readonly Block[]): Block {
  const height = Math.max(0, ...blocks.map((block) => block.length));
  return Array.from({ length: height }, (_, row) => blocks.flatMap((block) => block[row] ?? []));
}

/** `box` laid over the middle of `base`. */
export function overlay(base: Block, box: Block): Block {
  const width = lineWidth(base[0] ?? []);
  const boxWidth = lineWidth(box[0] ?? []);
  const left = Math.max(0, Math.floor((width - boxWidth) / 2));
  const top = Math.max(0, Math.floor((base.length - box.length) / 2));
  return base.map((under, row) => {
    const over = box[row - top];
    if (over === undefined) return under;
    return [...sliceLine(under, 0, left), ...over, ...sliceLine(under, left + boxWidth, width)];
  });
}

/** Cells `from` up to `to`; half of a wide character becomes a space. */
export function sliceLine(spans: Line, from: number, to: number): Line {
  const slice: Span[] = [];
  let at = 0;
  for (const { text, tone } of spans) {
    let kept = '';
    for (const character of text) {
      const end = at + characterWidth(character);
      if (at >= from && end <= to) kept += character;
      else if (at < to && end > from) kept += ' ';
      at = end;
    }
    if (kept !== '') slice.push({ text: kept, tone });
  }
  return slice;
}

/** Name at the left, figure at the right. Where room is short, dim details of the figure go before the name is cut. */
export function factLine([name, value]: readonly [string, Line], width: number): Line {
  const room = width - 2;
  const fits = (figure: Line): boolean => textWidth(name) + 1 + lineWidth(figure) <= room;
  const short = value.filter(({ tone }) => tone !== 'dim');
  const figure = fits(value) || short.length === 0 ? value : short;
  const shown = cutLine(figure, Math.max(0, room - Math.min(textWidth(name), SHORTEST_NAME) - 1));
  return [span(' '), ...fitLine([span(name, 'dim')], room - lineWidth(shown) - 1), span(' '), ...shown, span(' ')];
}
