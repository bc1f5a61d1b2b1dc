/** Pools and breakers as bars: the same figures and words as on the terminal. */
import type { BreakerSnapshot, UpstreamSnapshot } from '#src/admin/protocol.js';
import { breakerFigures, breakerState, breakerTimeline, troubledFirst } from '#src/admin/view/breakers.js';
import { span, type Line } from '#src/admin/view/line.js';
import { fullestFirst, poolGauges, poolText, toneOf } from '#src/admin/view/pools.js';
import type { PoolSnapshot } from '#src/admin/snapshot/pool.js';
import { h, spans, toneClass } from './dom.js';

/** What the timeline of a breaker spans, milliseconds, and into how many columns it is cut. */
const BREAKER_SPAN_MS = 600_000;
const BREAKER_COLUMNS = 30;

/** In use, available, overflow, waiting. */
export function poolPanel(pool: PoolSnapshot): HTMLElement {
  return bars(poolGauges(pool).map(({ name, share, tone, text }) => [name, bar(name, share, tone), text]));
}

/** One bar for each upstream, the fullest first. */
export function poolsPanel(upstreams: readonly UpstreamSnapshot[]): HTMLElement {
  return bars(
    fullestFirst(upstreams).map(({ name, pool }) => [
      name,
      bar(`Pool of ${name}`, pool.utilisation, toneOf(pool)),
      poolText(pool),
    ]),
  );
}

/** Those that let nothing through first. */
export function breakersPanel(breakers: readonly BreakerSnapshot[], now: number): HTMLElement {
  return bars(
    troubledFirst(breakers).map((row) => [
      row.name,
      timeline(row, now),
      [...breakerState(row, now), span('  '), ...breakerFigures(row)],
    ]),
  );
}

/** The last ten minutes of a breaker, higher the less it let through. */
export function timeline(row: BreakerSnapshot, now: number): HTMLElement {
  const text = breakerTimeline(row, now, BREAKER_SPAN_MS, BREAKER_COLUMNS);
  const tone = row.state === 'closed' ? 'info' : 'warn';
  return h(
    'span',
    { class: `timeline ${toneClass(tone)}`, role: 'img', 'aria-label': `${row.name}, 10 minutes` },
    text,
  );
}

function bar(label: string, share: number, tone: Line[number]['tone']): HTMLElement {
  return h('progress', { class: toneClass(tone), max: '1', value: String(Math.min(1, share)), 'aria-label': label });
}

function bars(rows: readonly (readonly [string, HTMLElement, Line])[]): HTMLElement {
  if (rows.length === 0) return h('p', { class: 'tone-dim' }, 'There is none.');
  return h(
    'dl',
    { class: 'bars' },
    rows.map(([name, drawn, text]) =>
      h('div', {}, h('dt', {}, spans([span(name)])), h('dd', {}, drawn, h('span', {}, spans(text)))),
    ),
  );
}
