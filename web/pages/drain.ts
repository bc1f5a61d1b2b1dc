/** Drains that run, and those that ended a moment ago, each with a bar. Nothing while nothing is drained. */
import { drainLine, drainShare } from '#src/admin/view/drains.js';
import { h, panel, spans } from '../dom.js';
import type { PageInput } from '../page.js';

/** How long a drain that has ended stays in sight. Milliseconds. */
const SHOWN_MS = 30_000;

export function drainPanel({ snapshot }: PageInput): readonly Node[] {
  const shown = snapshot.drains.filter(({ endedAt }) => endedAt === null || snapshot.takenAt - endedAt < SHOWN_MS);
  if (shown.length === 0) return [];
  const rows = shown.map((drain) =>
    h(
      'div',
      {},
      h('progress', { max: '1', value: String(drainShare(drain)), 'aria-label': `Drain of ${drain.id}` }),
      h('p', {}, spans(drainLine(drain, snapshot.takenAt))),
    ),
  );
  return [panel('Draining', ...rows)];
}
