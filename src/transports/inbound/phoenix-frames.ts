/**
 * Frames of Phoenix Channels, serializer 2.0.0: `[join_ref, ref, topic, event, payload]` as JSON text. Pure.
 *
 * The payload is left as text: an MCP message goes through `parseFrame` like that of any other transport, which sees
 * what `JSON.parse` hides (names that stand twice, depth), and an answer is put into its frame without being parsed.
 *
 * Stricter than Phoenix: refs are strings or null, topic and event are strings, all of at most 255 characters (the limit
 * of its own binary frames). Source: phoenixframework/phoenix, `Phoenix.Socket.V2.JSONSerializer`, `Phoenix.Socket`.
 */
import { isJsonObject } from '../../protocol/jsonrpc.js';

export interface PhoenixFrame {
  /** Ref of the join that opened the channel; `null` outside a channel. */
  readonly joinRef: string | null;
  /** What a reply answers to; `null` when none is wanted, and in pushes of the server. */
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  /** JSON text. That of a decoded frame is not checked yet. */
  readonly payload: string;
}

export type ReplyStatus = 'ok' | 'error';

/** Longest ref, topic and event, in UTF-16 units. */
export const MAX_NAME = 255;
/** Longest payload of what is no MCP message (join, leave, heartbeat), in UTF-16 units. */
const MAX_CONTROL_PAYLOAD = 64 * 1024;

const SPACE = '[ \\t\\r\\n]*';
const STRING = `"(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})){0,${MAX_NAME}}"`;
const REF = `(null|${STRING})`;
const NAME = `(${STRING})`;
const HEAD = new RegExp(
  `^${SPACE}\\[${[REF, REF, NAME, NAME].map((part) => `${SPACE}${part}${SPACE},`).join('')}${SPACE}`,
);
const TAIL = /\][ \t\r\n]*$/;

/** The parts of a frame; `undefined` when it is none. Whether the payload is JSON shows when it is parsed. */
export function decodePhoenixFrame(text: string): PhoenixFrame | undefined {
  const head = HEAD.exec(text);
  // Only the end is searched for the bracket: white space at the end of a long text must not be scanned again and again.
  const tail = TAIL.exec(text.slice(-16));
  if (head === null || tail === null) return undefined;
  const [start, joinRef = '', ref = '', topic = '', event = ''] = head;
  const end = text.length - tail[0].length;
  if (end <= start.length) return undefined;
  return {
    joinRef: JSON.parse(joinRef) as string | null,
    ref: JSON.parse(ref) as string | null,
    topic: JSON.parse(topic) as string,
    event: JSON.parse(event) as string,
    payload: text.slice(start.length, end),
  };
}

/** True where the payload is a JSON object, as that of a join, leave or heartbeat must be. */
export function isControlPayload(payload: string): boolean {
  if (payload.length > MAX_CONTROL_PAYLOAD) return false;
  try {
    return isJsonObject(JSON.parse(payload));
  } catch {
    return false;
  }
}

/** The text of a frame. `payload` must be JSON text. */
export function encodePhoenixFrame({ joinRef, ref, topic, event, payload }: PhoenixFrame): string {
  const head = [joinRef, ref, topic, event].map((part) => JSON.stringify(part)).join(',');
  return `[${head},${payload}]`;
}

/** The reply to a frame. `response` must be JSON text. */
export function encodePhoenixReply(
  { joinRef, ref, topic }: PhoenixFrame,
  status: ReplyStatus,
  response: string,
): string {
  const payload = `{"status":"${status}","response":${response}}`;
  return encodePhoenixFrame({ joinRef, ref, topic, event: 'phx_reply', payload });
}

/** True for the serializer that is spoken here. A client that names none means 1.0.0, as in Phoenix. */
export function speaksVsn(vsn: string | null): boolean {
  return vsn !== null && /^2\.0\.\d{1,4}$/.test(vsn);
}
