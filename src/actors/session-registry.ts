/**
 * Session registry: owns the directory of live sessions and speaks to many of them at once.
 *
 * Parent: front, before connections and listeners. Restart: permanent; its siblings start anew with it, for sessions
 * that nobody can find are of no use.
 */
import { type ActorSystem, type Behavior, type ReplyTo } from '../kernel/index.js';
import { type CursorKind } from '../protocol/cursor.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type ScopeKey, toolsetOf } from '../routing/scopes.js';
import { type ListChange } from './catalogue.js';
import { type ClientMessage } from './client-message.js';
import { type DataPlane } from './data-plane.js';
import { upstreamLifecycle } from './names.js';
import { type SessionEntry } from './session-directory.js';

export type RegistryMessage =
  | { readonly type: 'registry/lists-changed'; readonly changes: readonly ListChange[] }
  /** An upstream's log message while no call of it runs. */
  | { readonly type: 'registry/log-message'; readonly server: string; readonly params: JsonObject }
  /** What clients want of log messages may have changed (`plane.logLevels`). */
  | { readonly type: 'registry/log-level' }
  | { readonly type: 'registry/count'; readonly replyTo: ReplyTo<number> };

export interface RegistryDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
}

export function sessionRegistry(deps: RegistryDeps) {
  return (): Behavior<RegistryMessage> => new SessionRegistry(deps);
}

const METHOD: Readonly<Record<CursorKind, string>> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  resourceTemplates: 'notifications/resources/list_changed',
};

class SessionRegistry implements Behavior<RegistryMessage> {
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#lookAtLogLevel(); // the sessions of the incarnation before are gone
  }

  handle(message: RegistryMessage): void {
    switch (message.type) {
      case 'registry/lists-changed':
        return this.#listsChanged(message.changes);
      case 'registry/log-message':
        return this.#logMessage(message.server, message.params);
      case 'registry/log-level':
        return this.#lookAtLogLevel();
      case 'registry/count':
        return message.replyTo.reply(this.#deps.plane.sessions.size);
    }
  }

  #listsChanged(changes: readonly ListChange[]): void {
    const texts = new Map<ScopeKey, Set<string>>();
    for (const { scope, kind } of changes) {
      const known = texts.get(scope) ?? new Set();
      texts.set(scope, known.add(JSON.stringify({ jsonrpc: '2.0', method: METHOD[kind] })));
    }
    for (const { scope, kind } of changes) {
      const message = { type: 'client/list-changed', scope, method: METHOD[kind] } as const;
      for (const ref of this.#deps.plane.listeners) ref.tell(message);
    }
    for (const entry of this.#deps.plane.sessions.all()) {
      for (const text of texts.get(entry.scope) ?? []) this.#tell(entry, { type: 'client/broadcast', text });
    }
  }

  #logMessage(server: string, params: JsonObject): void {
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params });
    for (const entry of this.#deps.plane.sessions.all()) {
      if (this.#hears(entry.scope, server)) this.#tell(entry, { type: 'client/log-message', params, text });
    }
  }

  #hears(scope: ScopeKey, server: string): boolean {
    if (scope === null || scope === server) return true;
    return toolsetOf(scope) !== undefined && this.#deps.plane.routing.scope(scope)?.servers.has(server) === true;
  }

  /**
   * Upstreams send from the most verbose level on that any session asks for; each session keeps what it wants. Upstreams
   * that are configured later find the level at their gate.
   */
  #lookAtLogLevel(): void {
    const { plane } = this.#deps;
    const level = plane.logLevels.mostVerbose;
    if (level === plane.logLevel) return;
    plane.logLevel = level;
    for (const name of plane.gates.keys()) {
      this.#deps.system.tell(upstreamLifecycle(name), { type: 'upstream/log-level', level });
    }
  }

  #tell(entry: SessionEntry, message: ClientMessage): void {
    if (entry.ref.tell(message) === 'full') this.#deps.plane.counters.drop('notification_overflow');
  }
}
