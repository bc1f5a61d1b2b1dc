/** Which adapter serves which target, and how a target is named to people. */
import { redactUrl } from './errors.js';
import type { Clock } from './clock.js';
import { createHttpSseTransport } from './http-sse.js';
import type { TransportLimits } from './limits.js';
import type { Reaper } from './reaper.js';
import { createStdioTransport } from './stdio.js';
import { createStreamableHttpTransport } from './streamable-http.js';
import type { OutboundHandlers, OutboundTransport } from './transport.js';
import { createWebSocketTransport } from './websocket.js';
import { stripControl } from '../../protocol/text.js';

export interface StdioTarget {
  readonly transport: 'stdio';
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly inheritEnv?: readonly string[];
  readonly cwd?: string;
}

export interface UrlTarget {
  /** Streamable HTTP, HTTP+SSE (2024-11-05), WebSocket. */
  readonly transport: 'http' | 'sse' | 'ws';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where an upstream server is. */
export type OutboundTarget = StdioTarget | UrlTarget;

export interface OutboundDeps {
  /** One for all stdio servers of the gateway. */
  readonly reaper: Reaper;
  readonly limits?: Partial<TransportLimits>;
  /** `Authorization` of what is sent next; stdio has none. */
  readonly authorization?: (() => string | undefined) | undefined;
  readonly clock?: Clock;
}

/** The adapter for a target, not yet opened. Never throws: what is wrong with a target shows when it is opened. */
export function createOutboundTransport(
  target: OutboundTarget,
  handlers: OutboundHandlers,
  deps: OutboundDeps,
): OutboundTransport {
  const common = { ...deps.limits, ...(deps.clock !== undefined && { clock: deps.clock }) };
  switch (target.transport) {
    case 'stdio':
      return createStdioTransport({ ...target, ...common, reaper: deps.reaper }, handlers);
    case 'http':
      return createStreamableHttpTransport({ ...target, ...common, authorization: deps.authorization }, handlers);
    case 'sse':
      return createHttpSseTransport({ ...target, ...common, authorization: deps.authorization }, handlers);
    case 'ws':
      return createWebSocketTransport({ ...target, ...common, authorization: deps.authorization }, handlers);
  }
}

const SECRET_NAME = /key|token|secret|passw|auth|credential|bearer/i;
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
const MAX_DESCRIPTION_CHARS = 300;

/** The command line or URL for people, one line. Values that look like secrets, and all of `env` and `headers`, are left out. */
export function describeTarget(target: OutboundTarget): string {
  if (target.transport !== 'stdio') return redactUrl(target.url);
  let hideNext = false;
  const words = (target.args ?? []).map((word) => {
    const hidden = hideNext && !word.startsWith('-');
    hideNext = word.startsWith('-') && !word.includes('=') && SECRET_NAME.test(word);
    return hidden ? '***' : describeWord(word);
  });
  return stripControl([target.command, ...words].join(' '), MAX_DESCRIPTION_CHARS);
}

function describeWord(word: string): string {
  if (URL_START.test(word) && URL.canParse(word)) return redactUrl(word);
  const equals = word.indexOf('=');
  if (equals > 0) {
    const name = word.slice(0, equals);
    return SECRET_NAME.test(name) ? `${name}=***` : `${name}=${describeWord(word.slice(equals + 1))}`;
  }
  // An Authorization header as an argument, as mcp-remote takes it: `--header "Authorization: Bearer …"`.
  const header = /^([\w-]+):\s/.exec(word);
  if (header?.[1] !== undefined && SECRET_NAME.test(header[1])) return `${header[1]}: ***`;
  return word;
}
