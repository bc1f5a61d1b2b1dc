/** Log lines as consoles show them. Pure. */
import { LOG_LEVELS, type LogLevel, type LogLine } from '../protocol.js';
import { clock } from './format.js';
import { plainText, span, type Line } from './line.js';
import { LEVEL_MARKS } from './marks.js';

/** `14:03:59 ▲ warn  upstream.retry  message key=value` */
export function logLine(entry: LogLine): Line {
  const mark = LEVEL_MARKS[entry.level];
  return [
    span(`${clock(entry.at)} `, 'dim'),
    span(`${mark.symbol} ${mark.word.padEnd(5)} `, mark.tone),
    ...(entry.event === null ? [] : [span(`${entry.event} `, 'accent')]),
    span(entry.message),
    ...Object.entries(entry.fields).flatMap(([key, value]) => [span(` ${key}=`, 'dim'), span(fieldText(value))]),
  ];
}

export function atLeast(level: LogLevel): (entry: LogLine) => boolean {
  const least = LOG_LEVELS.indexOf(level);
  return (entry) => LOG_LEVELS.indexOf(entry.level) >= least;
}

/** Case-insensitive search in what is shown. */
export function logContains(entry: LogLine, needle: string): boolean {
  return plainText(logLine(entry)).toLowerCase().includes(needle.toLowerCase());
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/u.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}
