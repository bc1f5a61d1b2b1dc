/**
 * Text that came from outside, made safe for a terminal or a log line.
 *
 * Removed: C0 and C1 controls (ESC and CSI among them), soft hyphen, zero-width characters, bidirectional marks,
 * embeddings, overrides and isolates, line and paragraph separators, the byte-order mark, lone surrogates.
 */
const UNSAFE =
  /[\p{Cc}\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * `text` without control, escape, zero-width and bidirectional characters; a run of line breaks or tabs becomes one
 * space. Cut at `max` UTF-16 units, with `…` as the last one, when given.
 */
export function stripControl(text: string, max = Infinity): string {
  const clean = text.replace(/[\t\n\r]+/g, ' ').replace(UNSAFE, '');
  if (clean.length <= max) return clean;
  return `${clean.slice(0, Math.max(0, max - 1))}…`;
}
