/**
 * Search mode, for catalogues too large for a model's context: an endpoint lists `find_tool` and `call_tool` in place
 * of its tools. `find_tool` is answered here; `call_tool` is unwrapped into the call that it stands for (`resolve.ts`)
 * and is from there on that call. Pure; the same for both eras.
 */
import { distance } from 'fastest-levenshtein';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { type SearchRule } from './scopes.js';
import { type IndexedTool, ToolIndex } from './tool-index.js';

export const FIND_TOOL = 'find_tool';
export const CALL_TOOL = 'call_tool';

/** Near misses that an unknown name is answered with. */
const MAX_NEAR = 3;
/** Longer names are not compared letter by letter. */
const MAX_COMPARED = 128;

/** The two entries of `tools/list`. */
export function searchTools({
  maxResults,
}: SearchRule): readonly { readonly name: string; readonly item: JsonObject }[] {
  const find = {
    name: FIND_TOOL,
    title: 'Find a tool',
    description:
      'Searches the tools of this server. Describe in a few words what you want to do, or give a name. Answers with the best matches: name, description and inputSchema of each. Call one of them with call_tool.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'Words of the task, such as "create issue", or the name of a tool.' },
        limit: { type: 'integer', minimum: 1, maximum: maxResults, default: maxResults },
      },
      required: ['query'],
      additionalProperties: false,
    },
    outputSchema: {
      type: 'object',
      properties: {
        tools: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              description: { type: 'string' },
              inputSchema: { type: 'object' },
            },
            required: ['name', 'inputSchema'],
          },
        },
        total: { type: 'integer', description: 'How many tools match, those that are not shown included.' },
      },
      required: ['tools', 'total'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
  const call = {
    name: CALL_TOOL,
    title: 'Call a tool',
    description: 'Calls a tool that find_tool has found. The answer is that of the tool.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'The name, exactly as find_tool gave it.' },
        arguments: { type: 'object', description: 'As the inputSchema of the tool asks for.' },
      },
      required: ['name'],
      additionalProperties: false,
    },
  };
  return [call, find].map((item) => ({ name: item.name, item }));
}

/** The search of one scope. Its index is built in steps by `prepare`; what is missing when it is asked, then. */
export class ToolSearch {
  readonly #rule: SearchRule;
  readonly #tools: () => Iterable<IndexedTool>;
  #built: ToolIndex | undefined;

  constructor(rule: SearchRule, tools: () => Iterable<IndexedTool>) {
    this.#rule = rule;
    this.#tools = tools;
  }

  /** Tools that are not indexed yet. */
  get pending(): number {
    return this.#index.pending;
  }

  /** Indexes the next `count` tools. */
  prepare(count: number): void {
    this.#index.prepare(count);
  }

  get #index(): ToolIndex {
    return (this.#built ??= new ToolIndex(this.#tools()));
  }

  /** The result of a `tools/call` with these parameters when it calls `find_tool`, else `undefined`. */
  answer(params: JsonObject): JsonObject | undefined {
    if (params['name'] !== FIND_TOOL) return undefined;
    const given = params['arguments'] ?? {};
    if (!isJsonObject(given)) return mistake('"arguments" must be an object');
    const { query, limit = this.#rule.maxResults } = given;
    if (typeof query !== 'string') return mistake('"query" must be a string');
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)
      return mistake('"limit" must be a whole number from 1 on');
    const found = this.#index.search(query);
    const tools = found.slice(0, Math.min(limit, this.#rule.maxResults)).map(shown);
    const structuredContent = { tools, total: found.length };
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
  }

  /** Names that somebody who wrote `name` probably meant, best first. */
  near(name: string): string[] {
    if (name.length > MAX_COMPARED) return [];
    const limit = Math.max(2, Math.floor(name.length / 4));
    const close: { name: string; distance: number }[] = [];
    for (const { name: candidate } of this.#index.search('')) {
      if (Math.abs(candidate.length - name.length) > limit) continue;
      const d = distance(candidate, name);
      if (d <= limit) close.push({ name: candidate, distance: d });
    }
    const spelt = close.sort((a, b) => a.distance - b.distance).map((found) => found.name);
    const alike = this.#index.search(name).map((tool) => tool.name);
    return [...new Set([...spelt, ...alike])].slice(0, MAX_NEAR);
  }
}

function shown({ name, item }: IndexedTool): JsonObject {
  const { description, inputSchema } = item;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    inputSchema: inputSchema ?? { type: 'object' },
  };
}

/** A mistake that a model can put right by itself (MCP 2025-11-25, "Tools › Error Handling"). */
function mistake(text: string): JsonObject {
  return { content: [{ type: 'text', text }], isError: true };
}
