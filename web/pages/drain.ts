/** How far a drain is, with a bar. Nothing while the gateway does not drain. */
import { duration } from '#src/admin/view/format.js';
import { h, panel } from '../dom.js';
import type { PageInput } from '../page.js';

export function drainPanel({ snapshot }: PageInput): readonly Node[] {
  const { drain, takenAt } = snapshot;
  if (drain === null) return [];
  const { connectionsAtStart, connectionsLeft, inFlight, deadlineAt, reason } = drain;
  const done = Math.max(0, connectionsAtStart - connectionsLeft);
  const text = `${connectionsLeft} of ${connectionsAtStart} connections and ${inFlight} calls left, ${duration(deadlineAt - takenAt)} to go (${reason})`;
  return [
    panel(
      'Draining',
      h('progress', { max: String(Math.max(1, connectionsAtStart)), value: String(done), 'aria-label': 'Drain' }),
      h('p', { class: 'tone-warn' }, text),
    ),
  ];
}
