/**
 * What every process of the benchmark does first and last: tells its parent where it listens, and leaves when the
 * parent is gone. Started by hand (no IPC channel) it runs until it is interrupted.
 */

/** Prints one JSON line on stdout; the parent reads these lines as events. */
export function announce(event: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Exits when the IPC channel to the parent closes, for whatever reason it closes. */
export function exitWithParent(): void {
  if (process.send === undefined) return;
  process.on('disconnect', () => process.exit(0));
}
