/**
 * Tells when the configuration file has become another one.
 *
 * Watches folders, not the file: editors and Kubernetes replace it by rename, which ends a watch on the file itself.
 * Every event starts one wait of `debounce`; after it the watches are renewed (the folder may be a new one, too) and
 * the file's identity is compared with the last one, so that an event without a change calls nobody. A file that is
 * gone is waited for.
 */
import fs from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** What this file needs from outside; tests bring their own. */
export interface WatchDeps {
  /** Begins to watch a folder. Throws when it does not exist. */
  readonly watchFolder: (folder: string, onEvent: () => void) => { close(): void };
  /** The folders on the way to the file, links followed. */
  readonly foldersOf: (file: string) => Promise<readonly string[]>;
  /** Differs whenever the content may differ; `null` when there is no file. */
  readonly fingerprint: (file: string) => Promise<string | null>;
  readonly setTimer: (callback: () => void, ms: number) => { cancel(): void };
  /** Quiet time after an event before the file is looked at, ms. */
  readonly debounce: number;
  /** Time between attempts while the folder cannot be watched, ms. */
  readonly retry: number;
}

export interface ConfigWatch {
  /** No call of `onChange` after this. Idempotent. */
  close(): void;
  /** Resolves once changes from now on will be seen. */
  readonly ready: Promise<void>;
}

/**
 * Calls `onChange` after each change of `file`, never for the file as it is now: start this, await `ready`, and then
 * load, so that no change falls between the two.
 */
export function watchConfig(file: string, onChange: () => void, deps: Partial<WatchDeps> = {}): ConfigWatch {
  const watcher = new FileWatcher(path.resolve(file), onChange, { ...systemDeps, ...deps });
  const ready = watcher.start();
  return {
    ready,
    close: () => {
      watcher.close();
    },
  };
}

class FileWatcher {
  #watches: { close(): void }[] = [];
  #timer: { cancel(): void } | undefined;
  #last: string | null = null;
  #closed = false;
  /** Looks run one after another: two at once could both see the same change. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: string,
    private readonly onChange: () => void,
    private readonly deps: WatchDeps,
  ) {}

  start(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#arm();
      this.#last = await this.deps.fingerprint(this.file);
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#replace([]);
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => (this.#closed ? undefined : job()));
    return this.#work;
  }

  #lookAfter(ms: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.deps.setTimer(() => void this.#enqueue(() => this.#look()), ms);
  }

  async #look(): Promise<void> {
    // First the watches, then the look: a change between the two is seen by one of them.
    await this.#arm();
    const now = await this.deps.fingerprint(this.file);
    if (this.isClosed() || now === this.#last) return;
    this.#last = now;
    if (now !== null) this.onChange();
  }

  async #arm(): Promise<void> {
    const folders = await this.deps.foldersOf(this.file);
    if (this.isClosed()) return;
    const fresh: { close(): void }[] = [];
    try {
      for (const folder of folders) {
        fresh.push(this.deps.watchFolder(folder, () => this.#lookAfter(this.deps.debounce)));
      }
    } catch {
      this.#lookAfter(this.deps.retry);
    }
    this.#replace(fresh);
  }

  #replace(fresh: { close(): void }[]): void {
    for (const watch of this.#watches) watch.close();
    this.#watches = fresh;
  }

  /** A method, because `close` may run during any `await`, which the compiler cannot know. */
  private isClosed(): boolean {
    return this.#closed;
  }
}

const systemDeps: WatchDeps = {
  watchFolder: (folder, onEvent) => {
    const watcher = fs.watch(folder, { persistent: false }, onEvent);
    // The folder is gone or the watch broke: the look that follows renews it.
    watcher.on('error', onEvent);
    return watcher;
  },
  foldersOf: async (file) => {
    const real = await realpath(file).catch(() => file);
    return [...new Set([path.dirname(file), path.dirname(real)])];
  },
  fingerprint: async (file) => {
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    return found === undefined ? null : [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':');
  },
  setTimer: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  debounce: 100,
  retry: 1000,
};
