/** Waiting, but not for ever. */

/** Rejects when `work` has not settled after `ms`; what comes of it later is dropped. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const timeout = AbortSignal.timeout(ms);
  return await new Promise<T>((resolve, reject) => {
    const late = (): void => reject(new Error(`no answer within ${ms} ms`));
    timeout.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => timeout.removeEventListener('abort', late));
  });
}
