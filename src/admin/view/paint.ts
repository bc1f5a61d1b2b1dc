/** Lines → SGR escape sequences, the only ones that consoles print. Pure. */
import type { Line, Tone } from './line.js';

export interface Paint {
  /** Off for NO_COLOR and output that is no terminal; bold and inverse stay where `attributes` is on. */
  readonly color: boolean;
  readonly attributes: boolean;
  /** Everything greyed, for figures that are out of date. */
  readonly faded?: boolean;
}

/** 16-colour codes only: they follow the terminal's own theme. Dim is bright black, which every terminal has. */
const COLORS: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  dim: '90',
  ok: '32',
  warn: '33',
  bad: '31;1',
  info: '36',
  accent: '36;1',
  selected: '7',
};

const ATTRIBUTES: Readonly<Partial<Record<Tone, string>>> = { strong: '1', bad: '1', accent: '1', selected: '7' };

export function paintLine(spans: Line, paint: Paint): string {
  return spans.map(({ text, tone }) => dress(text, sgr(tone, paint))).join('');
}

function sgr(tone: Tone, paint: Paint): string {
  if (paint.faded === true && tone !== 'selected') return paint.color ? COLORS.dim : '';
  if (paint.color) return COLORS[tone];
  return paint.attributes ? (ATTRIBUTES[tone] ?? '') : '';
}

function dress(text: string, code: string): string {
  return code === '' || text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
}
