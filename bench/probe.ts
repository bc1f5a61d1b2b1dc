/** Waits until a server serves a tool: upstreams may come up after the server in front of them says it is ready. */
import { request } from 'undici';
import { PROTOCOL_VERSION } from './echo-server.js';
import { messagesOf } from './http-wire.js';
import { INITIALIZE, INITIALIZED } from './load-session.js';

const POLL_MS = 100;
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

interface ToolList {
  readonly result?: { readonly tools?: readonly { readonly name: string }[] };
}

async function post(url: string, body: string, session: string | undefined, method: 'POST' | 'DELETE' = 'POST') {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  if (session !== undefined) {
    headers['mcp-session-id'] = session;
    headers['mcp-protocol-version'] = PROTOCOL_VERSION;
  }
  const response = await request(url, { method, headers, body });
  const type = String(response.headers['content-type'] ?? '');
  const messages = messagesOf({
    status: response.statusCode,
    head: `\r\ncontent-type: ${type}`,
    body: await response.body.text(),
  });
  return { messages, session: response.headers['mcp-session-id'] };
}

async function toolNames(url: string): Promise<string[]> {
  const opened = await post(url, INITIALIZE, undefined);
  const session = typeof opened.session === 'string' ? opened.session : undefined;
  await post(url, INITIALIZED, session);
  const listed = await post(url, LIST, session);
  if (session !== undefined) await post(url, '', session, 'DELETE');
  return (listed.messages as ToolList[]).flatMap((message) => message.result?.tools ?? []).map((tool) => tool.name);
}

/** Resolves when `tools/list` at `url` names the tool; rejects after `timeoutMs` with what it last answered. */
export async function waitForTool(url: string, tool: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = '';
  while (performance.now() < deadline) {
    try {
      const names = await toolNames(url);
      if (names.includes(tool)) return;
      last = `it lists ${names.join(', ') || 'no tools'}`;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${url} does not serve ${tool}: ${last}`);
}
