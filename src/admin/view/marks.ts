/**
 * States as a symbol, a word and a tone, the same in every console. Colour is never the only signal.
 * Pure; each table is exhaustive over its union.
 */
import type { BreakerState, DrainState, GatewayPhase, LogLevel, SupervisionNode, UpstreamState } from '../protocol.js';
import { span, type Line, type Tone } from './line.js';

export interface Mark {
  readonly symbol: string;
  readonly word: string;
  readonly tone: Tone;
}

export const UPSTREAM_MARKS: Readonly<Record<UpstreamState, Mark>> = {
  ready: { symbol: '●', word: 'ready', tone: 'ok' },
  connecting: { symbol: '◌', word: 'connecting', tone: 'info' },
  initializing: { symbol: '◐', word: 'initializing', tone: 'info' },
  backoff: { symbol: '▲', word: 'backoff', tone: 'warn' },
  disabled: { symbol: '○', word: 'disabled', tone: 'dim' },
  stopped: { symbol: '■', word: 'stopped', tone: 'dim' },
};

export const BREAKER_MARKS: Readonly<Record<BreakerState, Mark>> = {
  closed: { symbol: '─', word: 'closed', tone: 'ok' },
  half_open: { symbol: '╌', word: 'half-open', tone: 'warn' },
  open: { symbol: '╱', word: 'open', tone: 'bad' },
};

export const NODE_MARKS: Readonly<Record<SupervisionNode['state'], Mark>> = {
  running: { symbol: '●', word: 'running', tone: 'ok' },
  starting: { symbol: '◌', word: 'starting', tone: 'info' },
  restarting: { symbol: '▲', word: 'restarting', tone: 'warn' },
  stopping: { symbol: '◐', word: 'stopping', tone: 'warn' },
  stopped: { symbol: '■', word: 'stopped', tone: 'dim' },
  failed: { symbol: '✖', word: 'failed', tone: 'bad' },
};

export const PHASE_MARKS: Readonly<Record<GatewayPhase, Mark>> = {
  starting: { symbol: '◌', word: 'starting', tone: 'info' },
  running: { symbol: '●', word: 'running', tone: 'ok' },
  lame_duck: { symbol: '◔', word: 'lame duck', tone: 'warn' },
  draining: { symbol: '◐', word: 'draining', tone: 'warn' },
  stopping: { symbol: '■', word: 'stopping', tone: 'warn' },
};

export const DRAIN_MARKS: Readonly<Record<DrainState, Mark>> = {
  running: { symbol: '●', word: 'called off', tone: 'ok' },
  lame_duck: { symbol: '◔', word: 'lame duck', tone: 'warn' },
  draining: { symbol: '◐', word: 'draining', tone: 'warn' },
  closing: { symbol: '◕', word: 'closing', tone: 'warn' },
  stopped: { symbol: '■', word: 'stopped', tone: 'dim' },
};

export const LEVEL_MARKS: Readonly<Record<LogLevel, Mark>> = {
  trace: { symbol: '·', word: 'trace', tone: 'dim' },
  debug: { symbol: '·', word: 'debug', tone: 'dim' },
  info: { symbol: ' ', word: 'info', tone: 'info' },
  warn: { symbol: '▲', word: 'warn', tone: 'warn' },
  error: { symbol: '✖', word: 'error', tone: 'bad' },
  fatal: { symbol: '✖', word: 'fatal', tone: 'bad' },
};

/** Symbol and word. */
export function marked(mark: Mark): Line {
  return [span(`${mark.symbol} ${mark.word}`, mark.tone)];
}
