/**
 * `Mcp-Param-*` for calls of modern clients, which on stdio neither know nor send headers: the gateway refuses a call for
 * want of one, says where its value stands in the arguments, and has not run it. From then on calls of the tool have it.
 *
 * Source: MCP specification 2026-07-28, "Streamable HTTP › Custom Headers from Tool Parameters".
 */
import { isJsonObject, type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { addParamHeaders, missingParamHeader, type ParamHeader } from '../protocol/modern/param-headers.js';

const HEADER_MISMATCH = -32_020;
/** Tools whose headers are remembered; past it the oldest is forgotten, and learnt again. */
const MAX_TOOLS = 1_000;
/** Headers of one tool. */
const MAX_HEADERS = 64;

export class MirroredParams {
  readonly #tools = new Map<string, readonly ParamHeader[]>();

  /** The headers that this request is known to need. */
  of({ method, params }: JsonRpcRequest): Record<string, string> {
    const name = params?.['name'];
    const known = method === 'tools/call' && typeof name === 'string' ? this.#tools.get(name) : undefined;
    return known ? addParamHeaders({}, known, params?.['arguments']) : {};
  }

  /** Takes a refusal; true when the next attempt may fare better: with a header more, or without those of an older schema. */
  learn(request: JsonRpcRequest, text: string): boolean {
    const name = request.params?.['name'];
    if (request.method !== 'tools/call' || typeof name !== 'string') return false;
    const answer: unknown = JSON.parse(text);
    const error = isJsonObject(answer) ? answer['error'] : undefined;
    if (!isJsonObject(error) || error['code'] !== HEADER_MISMATCH) return false;
    const missing = missingParamHeader(error['data']);
    const known = this.#tools.get(name) ?? [];
    if (!missing) return this.#tools.delete(name);
    if (known.length >= MAX_HEADERS || known.some(({ field }) => field === missing.field)) return false;
    this.#tools.delete(name);
    this.#tools.set(name, [...known, missing]);
    for (const oldest of this.#tools.keys()) {
      if (this.#tools.size <= MAX_TOOLS) break;
      this.#tools.delete(oldest);
    }
    return true;
  }
}
