/**
 * Text from outside, made safe for terminals and log lines.
 *
 * A name, description, error or stderr line may carry escape sequences that recolour, rewrite or retitle a terminal
 * (OSC 8, OSC 52), bidirectional controls that reorder what is read, and characters that are not seen at all. What
 * remains here is one line of visible text.
 *
 * Every expression below scans in linear time: no repetition can begin inside its own match.
 */

/**
 * Escape sequences of ECMA-48, seven- and eight-bit: CSI; OSC, DCS, SOS, PM and APC with their payload when it is
 * terminated (of an unterminated one only the introducer goes, so that it cannot hide the rest of the text); other ESC
 * sequences. Any other ESC is removed as a control character.
 */
const ESCAPE_SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])(?:[^\u0007\u001b\u0090\u0098\u009b-\u009f\n]*(?:\u0007|\u009c|\u001b\\))?|\u001b[ -/]*[0-~]/g;

/** Tab, newlines and the characters that Unicode treats as line ends. */
const LINE_BREAKS = /\r\n|[\t\n\v\f\u0085\u2028\u2029]/g;

/**
 * C0 and C1 controls; everything that Unicode says to ignore when a glyph is missing (zero-width characters, bidi
 * isolates, variation selectors, tags, fillers); bidi marks and embeddings; interlinear annotation.
 */
const INVISIBLE = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\ufff9-\ufffb]/gu;

const LONE_SURROGATES = /\p{Cs}/gu;

const PLAIN = /^[ -~]*$/;

/**
 * Removes control, escape, bidi and zero-width characters; tabs and newlines become a space, lone surrogates U+FFFD.
 * With `max` the result has at most that many code points, the last of them `…` where something was cut.
 */
export function stripControl(text: string, max = Infinity): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  const clean = text
    .replace(LONE_SURROGATES, '\ufffd') // first: what is removed between two halves must not join them
    .replace(ESCAPE_SEQUENCES, '')
    .replace(LINE_BREAKS, ' ')
    .replace(INVISIBLE, '');
  return clean.length <= max ? clean : cut(clean, max);
}

function cut(text: string, max: number): string {
  let border = 0; // where the text ends if its next code point has to make room for the ellipsis
  let count = 0;
  let at = 0;
  for (const character of text) {
    if (count === max - 1) border = at;
    if (++count > max) return max < 1 ? '' : `${text.slice(0, border)}…`;
    at += character.length;
  }
  return text;
}
