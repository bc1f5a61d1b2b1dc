/**
 * What spans say of what is asked for, of where it came in and of where it went: made once for what comes again and again, and
 * shared by all spans of it. Of where it came in and went it is
 * kept there.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import { redact } from '../../protocol/redact.js';
import { stripControl } from '../../protocol/text.js';
import { targetOf } from '../../protocol/methods.js';
import { type EventAttributes, type RequestOrigin, type TracedRequest, type TracedUpstream } from './call-trace.js';
import { SharedFields } from './shared-fields.js';

/** Longest text of a client's or server's in an attribute. */
const MAX_TEXT = 256;
const SHORTEST_CREDENTIAL = 20;
/** Clients may ask for whatever they like. */
const MOST_KEPT = 1_000;

export class Descriptions {
  readonly #tools = new Map<string, SharedFields>();

  /** What its span is called, and what it says of what is asked for. */
  request({ method, params }: Omit<TracedRequest, 'id'>): SharedFields {
    const target = targetOf(method, params);
    if (method !== 'tools/call' || target === '') return description(method, shown(target), params);
    let known = this.#tools.get(target);
    if (known !== undefined) return known;
    known = description(method, shown(target), params);
    if (target.length > MAX_TEXT) return known;
    if (this.#tools.size >= MOST_KEPT) this.#tools.clear();
    this.#tools.set(target, known);
    return known;
  }

  /** Where a request came in; `null`: the program itself routes it. */
  origin(origin: RequestOrigin | null): SharedFields {
    if (origin === null) return IN_PROCESS;
    if (origin.described !== null) return origin.described;
    const described = new SharedFields('', originAttributes(origin));
    // A session has its revision only after `initialize`.
    if (origin.protocolVersion !== null) origin.described = described;
    return described;
  }

  upstream(to: TracedUpstream): SharedFields {
    to.described ??= new SharedFields('', { 'network.transport': to.network, 'viable.upstream': to.upstream });
    return to.described;
  }
}

const IN_PROCESS = new SharedFields('', { 'viable.transport': 'in-process' });

/** `tools/call get_weather`: method and target. `target`: made visible. */
function description(method: string, target: string, params: TracedRequest['params']): SharedFields {
  const name = target === '' ? shown(method) : `${method} ${target}`;
  return new SharedFields(name, methodAttributes(method, target, params));
}

/** `target`: made visible. One literal for each kind of request: an object that is put together from parts costs microseconds. */
function methodAttributes(method: string, target: string, params: TracedRequest['params']): EventAttributes {
  if (target !== '' && method === 'tools/call')
    return { 'mcp.method.name': method, 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': target };
  if (method === 'tools/call') return { 'mcp.method.name': method, 'gen_ai.operation.name': 'execute_tool' };
  if (target !== '' && method === 'prompts/get') return { 'mcp.method.name': method, 'gen_ai.prompt.name': target };
  const uri = params?.['uri'];
  if (typeof uri === 'string' && method.startsWith('resources/'))
    return { 'mcp.method.name': shown(method), 'mcp.resource.uri': shown(uri) };
  return { 'mcp.method.name': shown(method) };
}

function originAttributes({ transport, remote, route, sessionId, protocolVersion }: RequestOrigin): EventAttributes {
  const colon = remote.lastIndexOf(':');
  return {
    'network.transport': 'tcp',
    'network.protocol.name': transport === 'websocket' ? 'websocket' : 'http',
    'viable.transport': transport,
    'url.path': route,
    ...(colon > 0 && {
      'client.address': remote.slice(0, colon),
      'client.port': Number(remote.slice(colon + 1)),
    }),
    ...(sessionId !== null && { 'mcp.session.id': sessionId }),
    ...(protocolVersion !== null && { 'mcp.protocol.version': protocolVersion }),
  };
}

/** What somebody else wrote: one line of it, without credentials. A short text holds none. */
export function shown(text: string): string {
  const visible = stripControl(text, MAX_TEXT);
  return visible.length < SHORTEST_CREDENTIAL ? visible : redact(visible);
}
