/**
 * A legacy-era MCP client as the load generator needs it: it opens a session, calls a tool, one call at a time, and
 * checks that each answer is the answer to its own question. The messages are shared; how they travel is the session's.
 */
import { PROTOCOL_VERSION } from './echo-server.js';

/** Told what was wrong with the answer, or `undefined` when it was right. */
export type CallDone = (problem: string | undefined) => void;

export interface LoadSession {
  /** Connects and shakes hands. Rejects when the server refuses. */
  open(): Promise<void>;
  /** Calls the tool with a message that occurs once; the answer must carry this id and this message. */
  call(id: number, nonce: string, done: CallDone): void;
  close(): Promise<void>;
}

export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: 'bench-load', version: '1.0.0' },
  },
});

export const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

/** The text of a `tools/call`. `tool` and `nonce` need no escaping. */
export function callText(id: number, tool: string, nonce: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":{"message":"${nonce}"}}}`;
}

interface Answer {
  readonly id?: unknown;
  readonly error?: { readonly message?: string };
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: unknown }[] };
}

/** Whether a message is the answer to call `id`. */
export function answers(message: unknown, id: number): boolean {
  return typeof message === 'object' && message !== null && (message as Answer).id === id;
}

/** What is wrong with the answer to a call of `echo`, if anything. */
export function problemOf(message: unknown, id: number, nonce: string): string | undefined {
  const { id: got, error, result } = message as Answer;
  if (got !== id) return `answer to ${String(got)} instead of ${id}`;
  if (error !== undefined) return `error answer: ${error.message ?? ''}`;
  if (result?.isError === true) return 'tool error';
  const text = result?.content?.[0]?.text;
  // Some servers decorate what they echo; the nonce must be there all the same.
  return typeof text === 'string' && text.includes(nonce) ? undefined : `another call's text: ${String(text)}`;
}
