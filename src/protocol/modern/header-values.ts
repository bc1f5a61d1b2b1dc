/**
 * Values of `Mcp-Name` and `Mcp-Param-*`: plain visible ASCII, or `=?base64?…?=` around the Base64 of their UTF-8.
 *
 * `decodeHeaderValue(encodeHeaderValue(text)) === text` for every well-formed text. (A lone surrogate has no UTF-8; it
 * becomes U+FFFD and so never equals the body's value: it is refused, not confused.)
 *
 * Source: MCP specification 2026-07-28, "Streamable HTTP › Value Encoding"; RFC 9110, section 5.5.
 */

const PREFIX = '=?base64?';
const SUFFIX = '?=';

/** Visible ASCII, space and tab, with neither space nor tab at an end, where field parsing would drop it. */
const PLAIN = /^[!-~](?:[\t -~]*[!-~])?$/;

/** Any value that a field may carry as it is, once parsed. */
const FIELD_VALUE = /^[\t -~]*$/;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `ignoreBOM`: a leading U+FEFF is part of the value. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value as a header carries it. An empty one is encoded too: many parsers take an empty field for none. */
export function encodeHeaderValue(text: string): string {
  if (PLAIN.test(text) && !isEncoded(text)) return text;
  return `${PREFIX}${Buffer.from(text).toString('base64')}${SUFFIX}`;
}

/**
 * The value that a header carries, or `undefined` for invalid characters, Base64 or UTF-8. White space around it is no
 * part of it. The markers are case-sensitive: what has others is plain.
 */
export function decodeHeaderValue(raw: string): string | undefined {
  const value = trimField(raw);
  if (!FIELD_VALUE.test(value)) return undefined;
  if (!isEncoded(value)) return value;
  if (value.length < PREFIX.length + SUFFIX.length) return undefined;
  const base64 = value.slice(PREFIX.length, -SUFFIX.length);
  if (!BASE64.test(base64)) return undefined;
  try {
    return UTF8.decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

/** To the letter of the specification, so also `=?base64?=`, whose markers overlap: it is written encoded, never read. */
function isEncoded(value: string): boolean {
  return value.startsWith(PREFIX) && value.endsWith(SUFFIX);
}

/** Without the optional white space that RFC 9110 allows around a field value. Linear; Node's parser has done it already. */
export function trimField(raw: string): string {
  let start = 0;
  let end = raw.length;
  while (start < end && isOws(raw.charCodeAt(start))) start++;
  while (end > start && isOws(raw.charCodeAt(end - 1))) end--;
  return end - start === raw.length ? raw : raw.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
