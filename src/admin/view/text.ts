/**
 * Text in terminal cells: how wide it is, and cutting and padding it to an exact width.
 *
 * Pure. What is drawn must be as wide as the terminal believes, or everything right of it shifts; so text is first
 * reduced to characters on whose width terminals agree (`drawable`), and only then measured.
 */
import { eastAsianWidth } from 'get-east-asian-width';
import { stripControl } from '../../protocol/text.js';

const PLAIN = /^[\x20-\x7e]*$/;
/** Variation selectors, joiners, skin tones and lone surrogates: their width differs between terminals. */
const UNSURE = /[\p{Cs}\u200d\ufe00-\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0100}-\u{e01ef}]/gu;
/** Marks that NFC could not compose into the letter before them. */
const LOOSE_MARKS = /[\p{Mn}\p{Me}\u1160-\u11ff]/gu;
const REGIONAL = /[\u{1f1e6}-\u{1f1ff}]/gu;

/** `text` on one line, harmless, and of a width that every terminal agrees on. */
export function drawable(text: string): string {
  if (PLAIN.test(text)) return text;
  return stripControl(text)
    .normalize('NFC')
    .replace(UNSURE, '')
    .replace(LOOSE_MARKS, '')
    .replace(REGIONAL, (flag) => String.fromCharCode((flag.codePointAt(0) ?? 0) - 0x1f1e6 + 0x41));
}

/** Cells that drawable text takes. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** 1 or 2; ambiguous characters count as narrow, as terminals have it outside East Asian locales. */
export function characterWidth(character: string): 1 | 2 {
  return eastAsianWidth(character.codePointAt(0) ?? 0x20);
}

/** At most `width` cells of drawable text; what is cut ends in `…`. */
export function cutText(text: string, width: number): string {
  if (width <= 0) return '';
  if (textWidth(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const character of text) {
    const next = characterWidth(character);
    if (used + next > width - 1) break;
    cut += character;
    used += next;
  }
  return `${cut}…`;
}

/** Drawable text in lines of at most `width` cells, broken at spaces where there are any. */
export function wrapText(text: string, width: number): readonly string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  let lastSpace = -1;
  for (const character of text) {
    const cells = characterWidth(character);
    if (used + cells > width) {
      const breakAt = lastSpace > 0 ? lastSpace : line.length;
      lines.push(line.slice(0, breakAt));
      line = line.slice(breakAt).trimStart();
      used = textWidth(line);
      lastSpace = line.lastIndexOf(' ');
    }
    if (character === ' ' && line === '' && lines.length > 0) continue;
    if (character === ' ') lastSpace = line.length;
    line += character;
    used += cells;
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line);
  return lines.map((part) => part.trimEnd());
}
