/** Everything known of one upstream, as names and values. Pure: one definition for every dashboard. */
import type { UpstreamSnapshot } from '../protocol.js';
import { NONE, bytes, count, duration } from './format.js';
import { line, span, type Line } from './line.js';
import { UPSTREAM_MARKS, marked } from './marks.js';

/** First revision without `initialize`: from it on, an upstream is of the modern era. */
const MODERN_SINCE = '2026-07-28';

export type Fact = readonly [string, Line];

/** `modern`, `legacy`, or `–` before the first handshake. */
export function eraOf(protocolVersion: string | null): string {
  if (protocolVersion === null) return NONE;
  return protocolVersion >= MODERN_SINCE ? 'modern' : 'legacy';
}

/** What it is and how it does, without its pool and its breaker. */
export function upstreamFacts(upstream: UpstreamSnapshot, now: number): readonly Fact[] {
  const { serverInfo, protocolVersion, pid, concurrency, retries, failures } = upstream;
  const retry =
    upstream.retryAt === null ? [] : [span(`, next attempt in ${duration(upstream.retryAt - now)}`, 'warn')];
  return [
    [
      'State',
      [...marked(UPSTREAM_MARKS[upstream.state]), span(` for ${duration(now - upstream.since)}`, 'dim'), ...retry],
    ],
    ['Era', line(eraOf(protocolVersion), span(protocolVersion === null ? '' : `  ${protocolVersion}`, 'dim'))],
    ['Server', line(serverInfo === null ? NONE : `${serverInfo.name} ${serverInfo.version}`)],
    ['Transport', line(upstream.transport, pid === null ? '' : span(`  pid ${pid}`, 'dim'))],
    ['Target', line(upstream.target)],
    [
      'Calls',
      line(count(upstream.calls), span('  failed ', 'dim'), span(count(failures), failures > 0 ? 'bad' : 'dim')),
    ],
    [
      'In flight',
      line(
        count(upstream.inFlight),
        span(`  of ${count(concurrency.limit)} at a time`, 'dim'),
        span(concurrency.refused === 0 ? '' : `, ${count(concurrency.refused)} kept out`, 'dim'),
      ),
    ],
    ['Retries', line(count(retries.sent), span(`  ${count(retries.refused)} not in the budget`, 'dim'))],
    ['Reconnects', line(count(upstream.reconnects))],
    ['Junk', line(bytes(upstream.junkBytes))],
  ];
}

/** `11 tools, 4 prompts, 100 resources, 1 templates`. */
export function offers({ tools, prompts, resources, resourceTemplates }: UpstreamSnapshot): string {
  return `${count(tools)} tools, ${count(prompts)} prompts, ${count(resources)} resources, ${count(resourceTemplates)} templates`;
}
