/** What a legacy session answers of itself, and how it writes the answers of upstreams. Pure. */
import { gatewayError } from '../protocol/errors.js';
import {
  errorText,
  isJsonObject,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcResponse,
  resultText,
} from '../protocol/jsonrpc.js';
import { LOG_LEVELS } from '../protocol/methods.js';
import { errorForLegacy, resultForLegacy } from '../protocol/modern/bridge.js';
import { stripControl } from '../protocol/text.js';
import { type Call } from './call.js';

const MAX_CLIENT_NAME = 80;

/**
 * The aggregate (`undefined`) promises every list, for an upstream may come that has it; one server's endpoint promises
 * what the server has.
 */
function legacyCapabilities(has: ReadonlySet<string> | undefined): JsonObject {
  const offers = (name: string): boolean => has === undefined || has.has(name);
  return {
    ...(offers('tools') && { tools: { listChanged: true } }),
    ...(offers('prompts') && { prompts: { listChanged: true } }),
    ...(offers('resources') && { resources: { listChanged: true, subscribe: true } }),
    ...(offers('logging') && { logging: {} }),
    ...(offers('completions') && { completions: {} }),
  };
}

/** The result of `initialize`. `view`: what the client sees; `aggregate`: of all servers. */
export function initializeResult(
  protocolVersion: string,
  version: string,
  view: { readonly instructions?: string | undefined; readonly capabilities: ReadonlySet<string> } | undefined,
  aggregate: boolean,
): JsonObject {
  const instructions = view?.instructions;
  return {
    protocolVersion,
    capabilities: legacyCapabilities(aggregate ? undefined : view?.capabilities),
    serverInfo: { name: 'viable', title: 'Viable MCP gateway', version },
    ...(instructions === undefined ? {} : { instructions }),
  };
}

export function badLevel(): JsonRpcErrorObject {
  return gatewayError('invalid_params', `"level" must be one of ${LOG_LEVELS.join(', ')}`);
}

/** Takes each in turn: those behind one that throws are owed their answers all the same. Then throws what was first. */
export function eachOf<T>(items: readonly T[], take: (item: T) => void): void {
  let defect: { readonly cause: unknown } | undefined;
  for (const item of items) {
    try {
      take(item);
    } catch (cause) {
      defect ??= { cause };
    }
  }
  if (defect) throw defect.cause;
}

/** The upstream's answer under the client's id, in the words of the legacy era. */
export function answerText(call: Call, answer: JsonRpcResponse): string {
  const { id, method, gate } = call;
  const translated = gate.era === 'modern';
  if ('error' in answer) return errorText(id, translated ? errorForLegacy(answer.error) : answer.error);
  return resultText(id, resultJson(call, translated ? resultForLegacy(method, answer.result) : answer.result));
}

/** The result as the client is to see it: under a collision a resource carries the URI that was asked for. */
function resultJson(call: Call, result: JsonObject): string {
  const renamed = call.renamedUri;
  const contents = result['contents'];
  if (!renamed || !Array.isArray(contents)) return JSON.stringify(result);
  const shown = (contents as unknown[]).map((item) =>
    isJsonObject(item) && item['uri'] === renamed.own ? { ...item, uri: renamed.shown } : item,
  );
  return JSON.stringify({ ...result, contents: shown });
}

export function clientName(info: unknown): string | null {
  if (!isJsonObject(info)) return null;
  const { name, version } = info;
  const full = `${typeof name === 'string' ? name : 'unnamed'}/${typeof version === 'string' ? version : '?'}`;
  return stripControl(full, MAX_CLIENT_NAME);
}
