/**
 * What spans say of what is asked for, of where it came in and of where it went: made once for what comes again and again, and
 * shared by all spans of it.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import { redact } from '../../protocol/redact.js';
import { stripControl } from '../../protocol/text.js';
import { type EventAttributes, type RequestOrigin, type TracedRequest, type TracedUpstream } from './call-trace.js';
import { SharedAttributes } from './shared-attributes.js';

/** Longest text of a client's or server's in an attribute. */
const MAX_TEXT = 256;
const SHORTEST_CREDENTIAL = 20;
/** Clients may ask for whatever they like, and upstreams come and go. */
const MOST_KEPT = 1_000;

/** What a span is called, and what it says of what is asked for. */
export interface Description {
  readonly name: string;
  readonly attributes: SharedAttributes;
}

interface DescribedOrigin {
  readonly remote: string;
  readonly sessionId: string | null;
  readonly protocolVersion: string | null;
  readonly attributes: SharedAttributes;
}

interface DescribedUpstream {
  readonly network: TracedUpstream['network'];
  readonly attributes: SharedAttributes;
}

export class Descriptions {
  readonly #tools = new Map<string, Description>();
  readonly #origins = new WeakMap<RequestOrigin, DescribedOrigin>();
  readonly #upstreams = new Map<string, DescribedUpstream>();

  request(method: string, target: string, params: TracedRequest['params']): Description {
    if (method !== 'tools/call' || target === '') return description(method, shown(target), params);
    let known = this.#tools.get(target);
    if (known !== undefined) return known;
    known = description(method, shown(target), params);
    if (target.length <= MAX_TEXT) keep(this.#tools, target, known);
    return known;
  }

  /** Where a request came in; `null`: the program itself routes it. */
  origin(origin: RequestOrigin | null): SharedAttributes {
    if (origin === null) return IN_PROCESS;
    const { remote, sessionId, protocolVersion } = origin;
    let known = this.#origins.get(origin);
    // A session has its revision only after `initialize`.
    const holds =
      known?.protocolVersion === protocolVersion && known.sessionId === sessionId && known.remote === remote;
    if (known !== undefined && holds) return known.attributes;
    known = { remote, sessionId, protocolVersion, attributes: new SharedAttributes(originAttributes(origin)) };
    this.#origins.set(origin, known);
    return known.attributes;
  }

  upstream({ upstream, network }: TracedUpstream): SharedAttributes {
    let known = this.#upstreams.get(upstream);
    if (known?.network === network) return known.attributes;
    const attributes = new SharedAttributes({ 'network.transport': network, 'viable.upstream': upstream });
    known = { network, attributes };
    keep(this.#upstreams, upstream, known);
    return attributes;
  }
}

const IN_PROCESS = new SharedAttributes({ 'viable.transport': 'in-process' });

function keep<T>(known: Map<string, T>, name: string, value: T): void {
  if (known.size >= MOST_KEPT) known.clear();
  known.set(name, value);
}

/** `tools/call get_weather`: method and target. `target`: made visible. */
function description(method: string, target: string, params: TracedRequest['params']): Description {
  const name = target === '' ? shown(method) : `${method} ${target}`;
  return { name, attributes: new SharedAttributes(methodAttributes(method, target, params)) };
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
