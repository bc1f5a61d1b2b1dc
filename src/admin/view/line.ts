/**
 * What a console draws, before any colour: a line is a list of spans, a span is drawable text with a tone.
 *
 * Pure. `span` is the only way in, and it makes every text drawable, so no text from outside can reach a terminal
 * unstripped. Painting (`paint.ts`) is the only way out.
 */
import { cutText, drawable, textWidth } from './text.js';

/** Meaning, not colour: the painter decides. `strong` and `selected` show without colour too. */
export type Tone = 'plain' | 'strong' | 'dim' | 'ok' | 'warn' | 'bad' | 'info' | 'accent' | 'selected';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: drawable(text), tone };
}

export function line(...parts: readonly (string | Span)[]): Line {
  return parts.map((part) => (typeof part === 'string' ? span(part) : part));
}

export function lineWidth(spans: Line): number {
  return spans.reduce((width, { text }) => width + textWidth(text), 0);
}

export function plainText(spans: Line): string {
  return spans.map(({ text }) => text).join('');
}

/** At most `width` cells, ending in `…` when cut. */
export function cutLine(spans: Line, width: number): Line {
  if (lineWidth(spans) <= width) return spans;
  const cut: Span[] = [];
  let left = width;
  for (const part of spans) {
    const cells = textWidth(part.text);
    if (cells >= left) {
      // One cell more than fits makes `cutText` leave its mark even when this span ends exactly at the edge.
      cut.push({ text: cells > left ? cutText(part.text, left) : cutText(`${part.text} `, left), tone: part.tone });
      break;
    }
    cut.push(part);
    left -= cells;
  }
  return cut;
}

/** Exactly `width` cells. */
export function fitLine(spans: Line, width: number, align: 'left' | 'right' = 'left'): Line {
  const cut = cutLine(spans, width);
  const missing = width - lineWidth(cut);
  if (missing <= 0) return cut;
  const padding: Span = { text: ' '.repeat(missing), tone: 'plain' };
  return align === 'left' ? [...cut, padding] : [padding, ...cut];
}

/** `left` and `right` at the two ends of `width` cells; `left` gives way first. */
export function spread(left: Line, right: Line, width: number): Line {
  const ending = cutLine(right, width);
  return [...fitLine(left, width - lineWidth(ending)), ...ending];
}

/** The same text, all in one tone. */
export function toned(spans: Line, tone: Tone): Line {
  return spans.map(({ text }) => ({ text, tone }));
}
