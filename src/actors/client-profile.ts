/**
 * Who a legacy client is, and what it has said of itself: its version, name, capabilities, the log level that it wants.
 * Process-free.
 */
import { type Principal } from '../auth/principal.js';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { isLogLevel, LOG_LEVELS, type LogLevel } from '../protocol/methods.js';
import { legacyEnvelope, modernCapabilities } from '../protocol/modern/envelope.js';
import { type LegacyRevision, MODERN_REVISION, negotiateLegacy, supportsBatch } from '../protocol/revisions.js';
import { type Caller } from './call.js';
import { clientName } from './legacy-answers.js';

export class ClientProfile {
  /** Negotiated by `initialize`; `null` before. */
  revision: LegacyRevision | null = null;
  /** `name/version`, safe for terminals. */
  name: string | null = null;
  /** As declared. */
  capabilities: JsonObject = {};
  info: JsonObject | undefined;
  #logLevel: LogLevel | null = null;
  #principal: Principal;
  /** Made with the first call. */
  #caller: Caller | null = null;

  constructor(principal: Principal) {
    this.#principal = principal;
  }

  /** On whose behalf its next calls are made. */
  get principal(): Principal {
    return this.#principal;
  }

  set principal(principal: Principal) {
    if (principal === this.#principal) return;
    this.#principal = principal;
    this.#caller = null;
  }

  /** Takes the params of `initialize`; returns the version that both speak. */
  introduce(params: JsonObject): LegacyRevision {
    const { capabilities, clientInfo } = params;
    this.name = clientName(clientInfo);
    this.capabilities = isJsonObject(capabilities) ? capabilities : {};
    this.info = isJsonObject(clientInfo) ? clientInfo : undefined;
    this.revision = negotiateLegacy(params['protocolVersion']);
    this.#caller = null;
    return this.revision;
  }

  /** Who never said which version it speaks may batch: only versions from 2025-06-18 on forbid it. */
  get allowsBatch(): boolean {
    return this.revision === null || supportsBatch(this.revision);
  }

  /** Params of an `initialize` that lead here again; `null` before there was one. */
  get initialize(): JsonObject | null {
    if (this.revision === null) return null;
    const { capabilities, info } = this;
    return { protocolVersion: this.revision, capabilities, ...(info !== undefined && { clientInfo: info }) };
  }

  /** `null` while it has set none. */
  get wantedLevel(): LogLevel | null {
    return this.#logLevel;
  }

  set logLevel(level: LogLevel) {
    this.#logLevel = level;
    this.#caller = null;
  }

  /** What modern upstreams are told of this client. */
  get caller(): Caller {
    return (this.#caller ??= this.#describe());
  }

  /** Its capabilities as the modern era spells them. */
  get modernCapabilities(): JsonObject {
    return modernCapabilities(this.capabilities);
  }

  /** Whether a log message passes the level that the client has set; all pass while it has set none. */
  wantsLog(params: JsonObject): boolean {
    const level = params['level'];
    if (this.#logLevel === null || !isLogLevel(level)) return true;
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#logLevel);
  }

  /** Until it sets a level, an upstream of the modern era is asked for what a legacy server sends unasked. */
  #describe(): Caller {
    const client = {
      capabilities: this.capabilities,
      clientInfo: this.info,
      logLevel: this.#logLevel ?? DEFAULT_LEVEL,
    };
    const envelope = legacyEnvelope(client, MODERN_REVISION);
    return { era: 'legacy', principal: this.#principal, envelope };
  }
}

/** What servers are asked for where no client asks for a level. */
export const DEFAULT_LEVEL: LogLevel = 'info';
