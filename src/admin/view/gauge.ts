/** Shares and series as blocks. Pure. */

/** `████░░░░` for a share of 0 to 1. */
export function gauge(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Eight heights of block for values from 0 to the highest. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const highest = Math.max(1, ...shown);
  const level = (value: number): number => Math.min(7, Math.max(0, Math.round((value / highest) * 7)));
  return shown.map((value) => '▁▂▃▄▅▆▇█'[level(value)] ?? ' ').join('');
}
