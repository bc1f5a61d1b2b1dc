/**
 * From a client's request to the upstream that answers it: whose tool, prompt, resource or completion it names, and the
 * parameters as that upstream is to see them. Pure; the same for both eras.
 */
import { type ErrorName } from '../protocol/errors.js';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { type RequestRoute } from '../protocol/methods.js';
import { stripControl } from '../protocol/text.js';
import { type Route, type ScopeView } from './routing-table.js';
import { CALL_TOOL } from './tool-search.js';

export type Resolved<T> =
  | {
      readonly ok: true;
      readonly target: T;
      /** The tool that is called, as its server defined it. */
      readonly tool?: JsonObject | undefined;
      /** With the upstream's own names and URIs. The client's object when nothing differs. */
      readonly params: JsonObject;
      /** Set where a collision gave the resource another URI than its own. */
      readonly renamedUri?: { readonly own: string; readonly shown: string };
      /** Its server has listed nothing yet: the call is refused, not sent. */
      readonly awaited?: true;
    }
  | { readonly ok: false; readonly error: ErrorName; readonly detail?: string; readonly data?: JsonObject };

export type UpstreamRoute = Exclude<RequestRoute, 'gateway'>;

/** `view` is `undefined` while nothing is listed yet: then nothing is found. */
export function resolveRequest<T>(
  kind: UpstreamRoute,
  params: JsonObject,
  view: ScopeView<T> | undefined,
): Resolved<T> {
  switch (kind) {
    case 'tool':
      return tool(params, view);
    case 'prompt':
      return named(params, view?.prompts, 'unknown_prompt');
    case 'resource':
      return resource(params, view);
    case 'completion':
      return completion(params, view);
  }
}

/**
 * The result of a `tools/call` that the gateway answers itself: `find_tool`, where the scope is searched. `undefined`
 * for every other call.
 */
export function gatewayTool<T>(params: JsonObject, view: ScopeView<T> | undefined): JsonObject | undefined {
  return view?.search?.answer(params);
}

const MAX_SHOWN = 128;

function tool<T>(params: JsonObject, view: ScopeView<T> | undefined): Resolved<T> {
  const search = view?.search;
  if (!search || params['name'] !== CALL_TOOL) return named(params, view?.tools, 'unknown_tool');
  const wrapped = params['arguments'];
  const { name, arguments: given = {} } = isJsonObject(wrapped) ? wrapped : {};
  if (typeof name !== 'string') return invalid(`${CALL_TOOL}: "name" must be a string`);
  if (!isJsonObject(given)) return invalid(`${CALL_TOOL}: "arguments" must be an object`);
  const resolved = named({ ...params, name, arguments: given }, view.tools, 'unknown_tool');
  if (resolved.ok || resolved.error === 'tool_quarantined') return resolved;
  return { ...resolved, data: { name: stripControl(name, MAX_SHOWN), near: search.near(name) } };
}

function named<T>(
  params: JsonObject,
  routes: ReadonlyMap<string, Route<T>> | undefined,
  error: 'unknown_tool' | 'unknown_prompt',
): Resolved<T> {
  const name = params['name'];
  if (typeof name !== 'string') return invalid('"name" must be a string');
  const route = routes?.get(name);
  if (route === undefined) return { ok: false, error, detail: stripControl(name, MAX_SHOWN) };
  const { target, own, item } = route;
  if (route.quarantined) return { ok: false, error: 'tool_quarantined', detail: stripControl(name, MAX_SHOWN) };
  return { ok: true, target, tool: item, params: own === name ? params : { ...params, name: own } };
}

function resource<T>(params: JsonObject, view: ScopeView<T> | undefined): Resolved<T> {
  const uri = params['uri'];
  if (typeof uri !== 'string') return invalid('"uri" must be a string');
  const route = view?.resource(uri);
  if (route === undefined) return { ok: false, error: 'resource_not_found', data: { uri } };
  const { target, own } = route;
  if (own === uri) return { ok: true, target, params };
  return { ok: true, target, params: { ...params, uri: own }, renamedUri: { own, shown: uri } };
}

function completion<T>(params: JsonObject, view: ScopeView<T> | undefined): Resolved<T> {
  const ref = params['ref'];
  if (!isJsonObject(ref)) return invalid('"ref" must be an object');
  const { type, name, uri } = ref;
  if (type === 'ref/prompt' && typeof name === 'string') {
    const route = view?.prompts.get(name);
    if (!route) return { ok: false, error: 'unknown_prompt', detail: stripControl(name, MAX_SHOWN) };
    return { ok: true, target: route.target, params: { ...params, ref: { ...ref, name: route.own } } };
  }
  if (type === 'ref/resource' && typeof uri === 'string') {
    const route = view?.template(uri);
    if (!route) return { ok: false, error: 'resource_not_found', data: { uri } };
    return { ok: true, target: route.target, params: { ...params, ref: { ...ref, uri: route.own } } };
  }
  return invalid('"ref" must be a ref/prompt with a name or a ref/resource with a uri');
}

function invalid(detail: string): { readonly ok: false; readonly error: ErrorName; readonly detail: string } {
  return { ok: false, error: 'invalid_params', detail };
}
