/** What options and arguments may be, for all commands. Each throws commander's `InvalidArgumentError`, in words. */
import { InvalidArgumentError } from 'commander';
import { nearMisses } from '../admin/suggest.js';

/** @param least 1, or 0 where that means any free port */
export function port(least: 0 | 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > 65_535)
      throw new InvalidArgumentError(`a port is ${least} to 65535.`);
    return value;
  };
}

/** One of these words; a near miss is told which one was meant. */
export function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    const near = nearMisses(text, words);
    throw new InvalidArgumentError(
      near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Allowed are ${words.join(', ')}.`,
    );
  };
}

/** The address of a gateway. */
export function endpoint(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('a URL begins with http:// or https://.');
}

const TIME_UNITS = { ms: 1, s: 1_000, m: 60_000 } as const;

/** `500`, `500ms`, `30s`, `1.5m` as milliseconds. */
export function milliseconds(text: string): number {
  const match = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text);
  const value = match ? Math.round(Number(match[1]) * TIME_UNITS[(match[2] ?? 'ms') as keyof typeof TIME_UNITS]) : NaN;
  if (!(value <= 2_147_483_647)) throw new InvalidArgumentError('give a time such as 500ms, 30s or 2m.');
  return value;
}

/** The same, but not 0. */
export function duration(text: string): number {
  const ms = milliseconds(text);
  if (ms === 0) throw new InvalidArgumentError('give a time such as 500ms, 30s or 2m.');
  return ms;
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is expected.`);
    return value;
  };
}
