/**
 * What the catalogue watches for in what servers offer: definitions that are not the pinned ones, and names that are
 * mistaken for another server's. Process-free; written by the catalogue alone.
 */
import { type AuditPort } from '../audit/event.js';
import { type PinBook, type PinEvent } from '../pinning/pin-book.js';
import { findNameConflicts, type NameConflict } from '../protocol/confusables.js';
import { type PrefixConflict } from '../protocol/naming.js';
import { stripControl } from '../protocol/text.js';
import { type Listing } from '../routing/offer.js';
import { type Logger } from '../telemetry/logger.js';
import { type AlgedonicPort } from '../vsm/reading.js';

export interface CatalogueWatchDeps {
  readonly book: PinBook;
  readonly log: Logger;
  readonly plane: { readonly audit: AuditPort; readonly algedonic: AlgedonicPort };
  /** The pins have changed. */
  readonly save: () => void;
}

export interface Offered {
  readonly server: string;
  readonly listing: Listing;
}

const MAX_SHOWN = 100;

export class CatalogueWatch {
  readonly #deps: CatalogueWatchDeps;
  readonly #judged = new Map<string, Listing>();
  #pinsChanged = false;

  constructor(deps: CatalogueWatchDeps) {
    this.#deps = deps;
  }

  /** Own names of the server's tools that are kept back. */
  quarantined(server: string): ReadonlySet<string> {
    return this.#deps.book.quarantined(server);
  }

  /** Before each table: looks at what is new. `now`: epoch milliseconds. */
  look(offers: readonly Offered[], prefixes: readonly PrefixConflict[], now: number): void {
    const { book } = this.#deps;
    const servers = new Set(offers.map(({ server }) => server));
    let news = false;
    for (const server of this.#judged.keys()) {
      if (servers.has(server)) continue;
      this.#judged.delete(server);
      book.forget(server);
      this.#reportQuarantine(server);
      news = true;
    }
    for (const { server, listing } of offers) {
      if (this.#judged.get(server) === listing) continue;
      this.#judged.set(server, listing);
      book.judge(server, listing.tools, now, (event) => this.#seen(event));
      this.#reportQuarantine(server);
      news = true;
    }
    if (news) this.#reportConflicts(offers, prefixes);
    this.#saveIfChanged();
  }

  /** An operator has looked at the definition that is offered now; `false` when there is none. */
  accept(server: string, tool: string, now: number): boolean {
    const found = this.#deps.book.accept(server, tool, now, (event) => this.#seen(event));
    this.#reportQuarantine(server);
    this.#saveIfChanged();
    return found;
  }

  /** An operator vouches for all that is offered now. */
  lock(now: number): number {
    const count = this.#deps.book.lock(now, (event) => this.#seen(event));
    for (const server of this.#judged.keys()) this.#reportQuarantine(server);
    this.#pinsChanged = true;
    this.#saveIfChanged();
    return count;
  }

  #seen(event: PinEvent): void {
    const { log, plane } = this.#deps;
    const tool = stripControl(event.tool, MAX_SHOWN);
    plane.audit.record({ type: 'pin', ...event, tool });
    if (event.outcome === 'quarantined')
      log.error(
        { event: 'tool_quarantined', upstream: event.server, tool },
        'the definition of a tool is not the pinned one',
      );
    else this.#pinsChanged ||= event.outcome !== 'restored';
  }

  #saveIfChanged(): void {
    if (!this.#pinsChanged) return;
    this.#pinsChanged = false;
    this.#deps.save();
  }

  #reportQuarantine(server: string): void {
    const { book, plane } = this.#deps;
    if (book.mode === 'off') return;
    const kept = [...book.quarantined(server)];
    const names = kept.slice(0, 3).map((tool) => stripControl(tool, MAX_SHOWN));
    plane.algedonic.report({
      source: `tools:${server}`,
      index: 'quarantined',
      value: kept.length === 0 ? 0 : 1,
      pain: 0.5,
      agony: 1,
      message:
        kept.length === 0
          ? 'every tool is as it is pinned'
          : `${kept.length} tools are not as they are pinned: ${names.join(', ')}; see viable tools diff`,
    });
  }

  /** Names of different servers: what one server does to itself is reported with the table. */
  #reportConflicts(offers: readonly Offered[], prefixes: readonly PrefixConflict[]): void {
    const names = offers.flatMap(({ server, listing }) =>
      listing.tools.map((tool) => ({ server, name: String(tool['name']) })),
    );
    const found = findNameConflicts(names).filter(({ offers: of }) => new Set(of.map(({ server }) => server)).size > 1);
    const alike = found.filter(({ kind }) => kind === 'confusable');
    const look = [
      ...prefixes.map(({ servers }) => servers.join(' and ')),
      ...alike.map(({ offers: of }) => of.map(({ server, name }) => `${server}: ${name}`).join(', ')),
    ];
    // high: somebody may be impersonating. low: told apart by prefixes, a model may still take the one for the other.
    this.#report('confusable', 1.4, look, 'names that look alike');
    this.#report('shared', 5, sharedNames(found), 'tools of one name at several servers');
  }

  #report(index: string, agony: number, conflicts: readonly string[], what: string): void {
    const shown = conflicts.slice(0, 3).map((text) => stripControl(text, MAX_SHOWN));
    this.#deps.plane.algedonic.report({
      source: 'names',
      index,
      value: conflicts.length === 0 ? 0 : 1,
      pain: 0.4,
      agony,
      message: conflicts.length === 0 ? `no ${what}` : `${conflicts.length} ${what}: ${shown.join('; ')}`,
    });
  }
}

function sharedNames(found: readonly NameConflict[]): string[] {
  return found.filter(({ kind }) => kind === 'same_name').map(({ offers }) => offers[0]?.name ?? '');
}
