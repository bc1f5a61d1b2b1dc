/** How long calls to one server may take: by tool, and longer while it says that it gets on. Plain memory. */
import { type ServerConfig } from '../config/types.js';
import { compileFilter, type NameFilter } from '../protocol/globs.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type Call } from './call.js';

/** Names of tools whose deadline is remembered; beyond, patterns are asked again. */
const REMEMBERED = 4_096;

export class Deadlines {
  /** Milliseconds from a call to its answer. */
  readonly request: number;
  /** Progress sets the deadline anew, up to this many milliseconds from the call; 0: it does not. */
  readonly extendedTo: number;
  readonly #patterns: readonly (readonly [NameFilter, number])[];
  readonly #known = new Map<string, number>();

  constructor({ request, tools, progress, max }: Omit<ServerConfig['timeouts'], 'connect'>) {
    this.request = request;
    this.extendedTo = progress ? max : 0;
    this.#patterns = Object.entries(tools).map(([glob, ms]) => [compileFilter({ allow: [glob] }), ms]);
  }

  /** Of a call of this tool, as its server names it; `undefined` for any other request. The first pattern that fits counts. */
  of(tool: JsonObject | undefined): number {
    if (tool === undefined || this.#patterns.length === 0) return this.request;
    const name = tool['name'] as string;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const ms = this.#patterns.find(([fits]) => fits(name))?.[1] ?? this.request;
    if (this.#known.size < REMEMBERED) this.#known.set(name, ms);
    return ms;
  }
}

/** Moves the deadline of a call that gets on; the milliseconds that it has now, 0 when it stays what it was. */
export function extendedBy(call: Call, now: number): number {
  const { deadlines } = call.gate;
  if (deadlines.extendedTo === 0) return 0;
  const spent = performance.now() - call.startedAt;
  const left = Math.min(deadlines.of(call.tool), deadlines.extendedTo - spent);
  if (now + left <= call.dueAt) return 0;
  call.left = 0;
  call.dueAt = now + left;
  return left;
}

/** Detail and data of a `request_timeout`. */
export function timedOut(call: Call): [string, JsonObject] {
  const { name, deadlines } = call.gate;
  const spent = Math.round(performance.now() - call.startedAt);
  const timeoutMs = deadlines.extendedTo === 0 ? deadlines.of(call.tool) : spent;
  return [`upstream "${name}" did not answer within ${timeoutMs} ms`, { server: name, timeoutMs }];
}
