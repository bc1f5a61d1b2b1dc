/**
 * Text that came from outside, made safe for a terminal or a log line.
 *
 * Removes whole ANSI escape sequences (CSI, OSC and the other string commands), then every C0/C1 control character,
 * bidirectional override, zero-width and tag character. Line breaks and tabs become single spaces. Pure.
 */

const ESCAPE_SEQUENCES =
  // CSI … final byte | OSC, DCS, SOS, PM, APC … up to BEL or ST | two-character escapes
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * `text` without anything that could move a cursor, change a colour, reorder or hide characters.
 *
 * @param max longest result in UTF-16 units; a longer one is cut and ends in `…`
 */
export function stripControl(text: string, max?: number): string {
  const safe = text.replace(ESCAPE_SEQUENCES, '').replace(BREAKS, ' ').replace(UNSAFE, '');
  if (max === undefined || safe.length <= max) return safe;
  const cut = safe.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
