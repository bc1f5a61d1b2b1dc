/**
 * The client's half of HTTP/1.1 for the load generator and the holder: cheap enough that it is not what is measured.
 * Understands content-length and chunked bodies on one keep-alive connection; small messages only (an unfinished one
 * is parsed again when more bytes come). Source: RFC 9112.
 */
import { createParser } from 'eventsource-parser';

export interface WireResponse {
  readonly status: number;
  /** The head as sent, without the blank line. */
  readonly head: string;
  readonly body: string;
}

const NO_BYTES = Buffer.alloc(0);

const FIELDS = {
  'content-length': /\r\ncontent-length:[ \t]*([^\r]*)/i,
  'content-type': /\r\ncontent-type:[ \t]*([^\r]*)/i,
  'mcp-session-id': /\r\nmcp-session-id:[ \t]*([^\r]*)/i,
  'transfer-encoding': /\r\ntransfer-encoding:[ \t]*([^\r]*)/i,
};

/** The value of a header field in a response's head. */
export function header(head: string, name: keyof typeof FIELDS): string | undefined {
  return FIELDS[name].exec(head)?.[1];
}

/** Takes bytes in any pieces and hands over whole responses, in order. */
export class ResponseReader {
  private pending: Buffer = NO_BYTES;

  constructor(private readonly onResponse: (response: WireResponse) => void) {}

  push(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    while (this.pending.length > 0) {
      const end = this.next();
      if (end < 0) return;
    }
  }

  /** Reads one response off the front; -1 when it is not all there. */
  private next(): number {
    const bytes = this.pending;
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) return -1;
    const head = bytes.toString('latin1', 0, headEnd);
    const status = Number(head.slice(9, 12));
    const found = bodyOf(bytes, headEnd + 4, head, status);
    if (found === undefined) return -1;
    this.pending = found.end === bytes.length ? NO_BYTES : bytes.subarray(found.end);
    if (status >= 200) this.onResponse({ status, head, body: found.body });
    return found.end;
  }
}

function bodyOf(bytes: Buffer, start: number, head: string, status: number): { body: string; end: number } | undefined {
  if (status < 200 || status === 204 || status === 304) return { body: '', end: start };
  const length = header(head, 'content-length');
  if (length !== undefined) {
    const end = start + Number(length);
    return end > bytes.length ? undefined : { body: bytes.toString('utf8', start, end), end };
  }
  if (/chunked/i.test(header(head, 'transfer-encoding') ?? '')) return chunkedBody(bytes, start);
  return { body: '', end: start };
}

function chunkedBody(bytes: Buffer, start: number): { body: string; end: number } | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (Number.isNaN(size)) throw new Error('broken chunk size');
    if (end > bytes.length) return undefined;
    if (size === 0) return { body: Buffer.concat(parts).toString('utf8'), end };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = end;
  }
}

/** The JSON-RPC messages of a response: one of a JSON body, any number of an event stream. */
export function messagesOf(response: WireResponse): unknown[] {
  if (response.body === '') return [];
  if (!(header(response.head, 'content-type') ?? '').startsWith('text/event-stream'))
    return [JSON.parse(response.body)];
  const messages: unknown[] = [];
  const parser = createParser({
    onEvent: (event) => {
      if (event.data !== '') messages.push(JSON.parse(event.data));
    },
  });
  parser.feed(response.body);
  return messages;
}
