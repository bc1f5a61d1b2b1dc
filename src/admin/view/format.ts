/** Figures as people read them. Pure; a figure with no samples is `–`. */

export const NONE = '–';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time in its two largest units: `8s`, `12m 03s`, `2h 05m`, `3d 04h`. */
export function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < MINUTE) return `${Math.floor(left / SECOND)}s`;
  if (left < HOUR) return `${Math.floor(left / MINUTE)}m ${two((left % MINUTE) / SECOND)}s`;
  if (left < DAY) return `${Math.floor(left / HOUR)}h ${two((left % HOUR) / MINUTE)}m`;
  return `${Math.floor(left / DAY)}d ${two((left % DAY) / HOUR)}h`;
}

/** A latency: `0.42 ms`, `7.1 ms`, `120 ms`, `1.3 s`. */
export function latency(ms: number | null): string {
  if (ms === null) return NONE;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Two latencies, the unit once where it is the same: `3.4 / 42 ms`, `120 ms / 1.3 s`. */
export function latencyPair(first: number | null, second: number | null): string {
  const [one, other] = [latency(first), latency(second)];
  const unit = / m?s$/.exec(other)?.[0] ?? ' ';
  return `${one.endsWith(unit) ? one.slice(0, -unit.length) : one} / ${other}`;
}

/** `999`, `1.2k`, `34k`, `5.6M`. */
export function count(value: number): string {
  return scaled(value, 1_000, ['', 'k', 'M', 'G', 'T']);
}

/** `512 B`, `1.5 KiB`, `64 MiB`. */
export function bytes(value: number): string {
  return scaled(value, 1_024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
}

/** `0 %`, `0.4 %`, `12 %`. */
export function percent(value: number | null): string {
  if (value === null) return NONE;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Time of day, local: `14:03:59`. */
export function clock(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let left = value;
  let unit = 0;
  // 999.5k would be drawn as 1000k: it moves on to the next unit.
  while (unit < units.length - 1 && Math.round(left) >= base) {
    left /= base;
    unit += 1;
  }
  const digits = unit === 0 ? String(Math.round(left)) : left < 9.95 ? left.toFixed(1) : String(Math.round(left));
  return digits + (units[unit] ?? '');
}
