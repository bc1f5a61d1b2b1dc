/**
 * The dashboard's one data source: what the gateway last said, kept up to date over the admin socket.
 *
 * Reconnects by itself, keeping the last figures meanwhile. Bounded: one snapshot, one list of connections, the newest
 * log lines. Draws nothing and knows no terminal.
 */
import { AdminRequestError, NoGatewayError, type AdminClient, type AdminSubscription } from '#src/admin/client.js';
import type { AdminMethod, GatewaySnapshot, LogLine } from '#src/admin/protocol.js';
import { lookedAt, NOTHING_LOOKED, requestFor, sameWanted, type Looked, type Wanted } from '#src/admin/view/wanted.js';

export interface NumberedLine {
  /** Grows by one with each line of this dashboard's life; names a line while older ones fall away. */
  readonly number: number;
  readonly entry: LogLine;
}

export interface FeedView extends Looked {
  /** `refused`: the gateway is there and shows no figures now. */
  readonly link: 'connecting' | 'live' | 'lost' | 'refused';
  /** Why there is no connection, in words. */
  readonly reason: string | null;
  readonly snapshot: GatewaySnapshot | null;
  readonly logs: readonly NumberedLine[];
}

export const NO_VIEW: FeedView = { link: 'connecting', reason: null, snapshot: null, logs: [], ...NOTHING_LOOKED };

export interface FeedOptions {
  readonly connect: () => Promise<AdminClient>;
  readonly intervalMs: number;
  /** Called after each change of `view`. */
  readonly onChange: () => void;
  /** Runs `task` after `ms`; the result takes it back. */
  readonly schedule: (ms: number, task: () => void) => () => void;
}

const MOST_LINES = 2_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2_000;

export class Feed {
  readonly #options: FeedOptions;
  #view: FeedView = NO_VIEW;
  #client: AdminClient | undefined;
  #watching: AdminSubscription | undefined;
  #intervalMs: number;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: () => void = () => undefined;
  #wanted: Wanted | null = null;
  #asking = false;
  #nextNumber = 1;
  #stopped = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs;
  }

  get view(): FeedView {
    return this.#view;
  }

  start(): void {
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#client?.close();
  }

  /** How often snapshots come from now on. */
  setInterval(ms: number): void {
    if (ms === this.#intervalMs) return;
    this.#intervalMs = ms;
    this.#watching?.cancel();
    this.#watching = undefined;
    if (this.#client !== undefined) void this.#watch(this.#client);
  }

  /** What is looked at from now on; `null`: the snapshot alone. */
  want(wanted: Wanted | null): void {
    if (sameWanted(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    // Another actor's messages must not be sent to this one.
    if (wanted?.what === 'messages') this.#view = { ...this.#view, messages: [] };
    void this.#ask();
  }

  /** One request, and its answer. Rejects when refused, or when there is no connection now. */
  async request(method: AdminMethod, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#client === undefined) throw new Error('There is no connection to the gateway now.');
    return this.#client.request(method, params);
  }

  async #connect(): Promise<void> {
    try {
      const client = await this.#options.connect();
      if (this.#stopped) {
        client.close();
        return;
      }
      this.#client = client;
      client.onClose(() => this.#lost(client, 'The gateway closed the connection.'));
      await this.#watch(client);
      if (client !== this.#client) return; // refused
      // Another gateway, or the same one anew: its log begins again.
      this.#change({ logs: [] });
      await client.followLogs({ lines: MOST_LINES / 4 }, (entry) => this.#append(entry));
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      this.#failed(error);
    }
  }

  async #watch(client: AdminClient): Promise<void> {
    const intervalMs = this.#intervalMs;
    try {
      const take = (snapshot: GatewaySnapshot): void => {
        if (client !== this.#client || intervalMs !== this.#intervalMs) return;
        this.#change({ link: 'live', reason: null, snapshot });
        void this.#ask();
      };
      const subscription = await client.watch(intervalMs, take, (error) => this.#refused(client, error));
      if (intervalMs === this.#intervalMs) this.#watching = subscription;
      else subscription.cancel();
    } catch (error) {
      if (error instanceof AdminRequestError) this.#refused(client, error);
      else this.#failed(error);
    }
  }

  /** It says no, and why. It may say yes later. */
  #refused(client: AdminClient, { message }: AdminRequestError): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#watching = undefined;
    client.close();
    this.#retry(message, 'refused');
  }

  async #ask(): Promise<void> {
    const client = this.#client;
    const wanted = this.#wanted;
    if (client === undefined || wanted === null || this.#asking) return;
    this.#asking = true;
    try {
      const { method, params } = requestFor(wanted);
      const result: unknown = await client.request(method, params);
      if (wanted === this.#wanted) this.#change(lookedAt(wanted, result));
    } catch (error) {
      // A lost connection is dealt with where it is noticed; a refusal leaves the old list.
      if (!(error instanceof NoGatewayError || error instanceof AdminRequestError)) throw error;
    } finally {
      this.#asking = false;
    }
    // Somebody has turned to something else meanwhile.
    if (wanted !== this.#wanted) await this.#ask();
  }

  #append(entry: LogLine): void {
    const logs = this.#view.logs.slice(-(MOST_LINES - 1));
    logs.push({ number: this.#nextNumber++, entry });
    this.#change({ logs });
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#client === undefined) this.#retry(reason);
    // Its `onClose` follows and retries.
    else this.#client.close();
  }

  #lost(client: AdminClient, reason: string): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#watching = undefined;
    this.#retry(reason);
  }

  #retry(reason: string, link: 'lost' | 'refused' = 'lost'): void {
    if (this.#stopped) return;
    this.#change({ link, reason });
    this.#cancelRetry = this.#options.schedule(this.#retryMs, () => void this.#connect());
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #change(part: Partial<FeedView>): void {
    if (this.#stopped) return;
    this.#view = { ...this.#view, ...part };
    this.#options.onChange();
  }
}
