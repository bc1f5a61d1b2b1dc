/**
 * The load of chaos runs, a process of its own: sessions that each keep some calls outstanding, every call with a nonce that
 * occurs once in the whole run. Opens lost sessions again. Ends its calls when it is told to stop, and says when all are.
 *
 *   node dist-test/chaos/load.js --url http://127.0.0.1:4000 --journal FILE --name a [--transports http,sse,websocket]
 *     [--sessions 2] [--outstanding 4] [--tools chaos__echo] [--heed] [--patience 15000]
 *
 * `--heed`: a session that is told of a shutdown sends nothing more. Over IPC: {type: "stop"}.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { announce, exitWithParent } from '../bench/lifeline.js';
import { type ClientSession, type ClientTransport, type JsonRpcAnswer, openSession } from './client-sessions.js';
import { Journal, now } from './journal.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    journal: { type: 'string', default: '' },
    name: { type: 'string', default: 'load' },
    transports: { type: 'string', default: 'http,sse,websocket' },
    sessions: { type: 'string', default: '2' },
    outstanding: { type: 'string', default: '4' },
    tools: { type: 'string', default: 'chaos__echo' },
    heed: { type: 'boolean', default: false },
    patience: { type: 'string', default: '15000' },
  },
});

/** Wait after an error or a lost session: a client that asked again at once would only measure how fast errors are. */
const PAUSE_MS = 20;
const journal = new Journal(values.journal);
const tools = values.tools.split(',');
const outstanding = Number(values.outstanding);
const state = { stopping: false };

/** One client: a session, opened again whenever it is lost. */
class Client {
  readonly #label: string;
  readonly #transport: ClientTransport;
  #session: ClientSession | null = null;
  #generation = 0;
  #made = 0;
  #quiet = false;
  readonly #open = new Map<number, string>();

  constructor(label: string, transport: ClientTransport) {
    this.#label = label;
    this.#transport = transport;
  }

  get waiting(): number {
    return this.#open.size;
  }

  async run(): Promise<void> {
    while (!state.stopping) {
      const session = await this.#connect();
      if (session === null) await delay(PAUSE_MS);
      else await session.over;
      this.#lost();
    }
  }

  close(): void {
    this.#session?.close();
  }

  /** `null`: refused. `over` settles when the session is. */
  async #connect(): Promise<{ readonly over: Promise<void> } | null> {
    const generation = (this.#generation += 1);
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    const session = openSession(this.#transport, values.url, {
      answer: (message) => this.#answer(generation, message),
      cut: (id) => this.#cut(generation, id),
      notice: (reconnectAfter) => {
        journal.write({ e: 'noticed', t: now(), reconnectAfter });
        if (values.heed) this.#quiet = true;
      },
      over: () => end(),
    });
    try {
      await session.open();
    } catch {
      session.close();
      return null;
    }
    journal.write({ e: 'opened', t: now() });
    this.#session = session;
    this.#quiet = false;
    this.#made = 0;
    for (let count = 0; count < outstanding; count += 1) this.#next(generation);
    return { over };
  }

  #lost(): void {
    this.#session?.close();
    this.#session = null;
    for (const id of [...this.#open.keys()]) this.#cut(this.#generation, id);
  }

  #next(generation: number): void {
    if (state.stopping || this.#quiet || this.#session === null || generation !== this.#generation) return;
    const id = (this.#made += 1);
    const nonce = `${values.name}-${this.#label}-${generation}-${id}`;
    this.#open.set(id, nonce);
    journal.write({ e: 'sent', nonce, t: now() });
    this.#session.call(id, tools[id % tools.length] ?? '', nonce);
  }

  #answer(generation: number, message: JsonRpcAnswer): void {
    if (generation !== this.#generation) return;
    const nonce = this.#open.get(message.id);
    if (nonce === undefined) {
      journal.write({ e: 'unasked', id: `${values.name}-${this.#label}-${generation}-${message.id}`, t: now() });
      return;
    }
    this.#open.delete(message.id);
    const { outcome, by } = outcomeOf(message, nonce);
    journal.write({ e: 'answered', nonce, t: now(), outcome, ...(by !== undefined && { by }) });
    if (outcome === 'ok') this.#next(generation);
    else setTimeout(() => this.#next(generation), PAUSE_MS);
  }

  #cut(generation: number, id: number): void {
    if (generation !== this.#generation) return;
    const nonce = this.#open.get(id);
    if (nonce === undefined) return;
    this.#open.delete(id);
    journal.write({ e: 'cut', nonce, t: now() });
    setTimeout(() => this.#next(generation), PAUSE_MS);
  }
}

function outcomeOf({ result, error }: JsonRpcAnswer, nonce: string): { outcome: string; by?: number } {
  if (error) return { outcome: error.data?.reason ?? String(error.code) };
  const [said, by] = (result?.content?.[0]?.text ?? '').split(' ');
  return said === nonce ? { outcome: 'ok', by: Number(by) } : { outcome: 'foreign' };
}

/** Sends no more, and waits until every call is answered or patience is over: what is open then is lost. */
async function stop(clients: readonly Client[]): Promise<void> {
  state.stopping = true;
  const end = now() + Number(values.patience);
  while (clients.some((client) => client.waiting > 0) && now() < end) await delay(PAUSE_MS);
  announce({ event: 'done', open: clients.reduce((sum, client) => sum + client.waiting, 0) });
  for (const client of clients) client.close();
}

exitWithParent();
const clients = values.transports
  .split(',')
  .flatMap((transport) =>
    Array.from(
      { length: Number(values.sessions) },
      (_, index) => new Client(`${transport}${index}`, transport as ClientTransport),
    ),
  );
process.on('message', () => void stop(clients));
for (const client of clients) void client.run();
announce({ event: 'running' });
