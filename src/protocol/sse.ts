/**
 * Server-sent events, the writing side. Reading is `eventsource-parser`'s.
 *
 * Source: WHATWG HTML, "Server-sent events › Parsing an event stream": lines end in CR, LF or CRLF, so a payload with
 * any of them is split into several `data` lines, which readers join with LF.
 */

export interface SseEvent {
  /** Event type; readers take `message` when it is absent. */
  readonly event?: string;
  readonly id?: string;
  /** Milliseconds that the reader waits before it connects again. */
  readonly retry?: number;
  readonly data: string;
}

/** A comment line: keeps proxies from closing an idle stream, readers ignore it. */
export const SSE_KEEPALIVE = ': keepalive\n\n';

const LINE_ENDS = /\r\n|\r|\n/;

/** The bytes of one event, with its final blank line. */
export function encodeSse(event: SseEvent): string {
  let head = '';
  if (event.event !== undefined) head += `event: ${oneLine(event.event)}\n`;
  if (event.id !== undefined) head += `id: ${oneLine(event.id)}\n`;
  // Anything but ASCII digits makes the whole field void for readers.
  if (event.retry !== undefined) head += `retry: ${Math.max(0, Math.trunc(event.retry))}\n`;
  return `${head}${dataLines(event.data)}\n`;
}

/** Serialised JSON, the usual payload, has no raw line ends and takes the short way. */
function dataLines(data: string): string {
  if (!data.includes('\n') && !data.includes('\r')) return `data: ${data}\n`;
  return data
    .split(LINE_ENDS)
    .map((line) => `data: ${line}\n`)
    .join('');
}

/** Line ends would begin another field; a NUL makes readers ignore the id. */
function oneLine(value: string): string {
  return value.replaceAll('\r', '').replaceAll('\n', '').replaceAll('\0', '');
}
