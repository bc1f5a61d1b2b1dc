/**
 * From one frame of text to the owner's handlers: parsed once, batches unpacked, the rest reported as junk.
 *
 * Batches exist in the revisions 2024-11-05 and 2025-03-26 only; they are accepted from every peer.
 */
import type { JsonRpcId } from '../../protocol/jsonrpc.js';
import { parseFrame } from '../../protocol/parse.js';
import { stripControl } from '../../protocol/text.js';
import type { OutboundHandlers } from './transport.js';

const SAMPLE_CHARS = 120;

/** What a frame held: the answer to the awaited request (perhaps with others), only other messages, or no message. */
export type Delivered = 'answer' | 'other' | 'junk';

/**
 * Parses `text` and calls `onMessage` for each message in it, or `onJunk` once when there is none.
 *
 * @param bytes size of the frame on the wire; a batch reports it with its first message
 * @param awaited the request whose answer the caller looks for
 */
export function deliver(text: string, bytes: number, handlers: OutboundHandlers, awaited?: JsonRpcId): Delivered {
  const frame = parseFrame(text);
  switch (frame.kind) {
    case 'response':
      handlers.onMessage(frame.message, bytes);
      return awaited !== undefined && frame.message.id === awaited ? 'answer' : 'other';
    case 'request':
    case 'notification':
      handlers.onMessage(frame.message, bytes);
      return 'other';
    case 'invalid':
      junk(text, bytes, handlers);
      return 'junk';
    case 'batch':
      break;
  }
  let outcome: Delivered = 'junk';
  let unreported = bytes;
  for (const item of frame.items) {
    if (item.kind === 'invalid') continue;
    handlers.onMessage(item.message, unreported);
    unreported = 0;
    if (outcome === 'junk') outcome = 'other';
    if (item.kind === 'response' && awaited !== undefined && item.message.id === awaited) outcome = 'answer';
  }
  if (outcome === 'junk') junk(text, bytes, handlers);
  return outcome;
}

/** Reports bytes that are no message. `text` may be a beginning of them. */
export function junk(text: string, bytes: number, handlers: OutboundHandlers): void {
  handlers.onJunk(stripControl(text.slice(0, SAMPLE_CHARS), SAMPLE_CHARS), bytes);
}
