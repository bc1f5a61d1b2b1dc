/** S1 to S5: each figure with its formula, the leases, and what audits and forecasts have found. */
import { clock, duration, latency, NONE } from '#src/admin/view/format.js';
import { line, span } from '#src/admin/view/line.js';
import { VIABILITY_COLUMNS, viabilityRows } from '#src/admin/view/viability.js';
import { facts, h, panel, spans } from '../dom.js';
import type { Page, PageInput } from '../page.js';
import { table } from '../table.js';

export const viabilityPage: Page = { id: 'viability', title: 'Viability', draw };

function draw({ snapshot, table: state, redraw }: PageInput): readonly Node[] {
  const { vsm, takenAt } = snapshot;
  const rows = viabilityRows(vsm);
  const chosen = rows.find(({ name }) => name === state.chosen);
  const { policy, control, audit, intelligence } = vsm;
  return [
    panel(
      'Figures',
      h(
        'div',
        { class: 'wraps' },
        table({
          caption: 'Figures',
          columns: VIABILITY_COLUMNS,
          rows,
          keyOf: ({ name }) => name,
          state,
          onChange: redraw,
          empty: '',
          fixedOrder: true,
        }),
      ),
      h(
        'p',
        { class: 'tone-dim' },
        chosen ? `${chosen.figure.title} = ${chosen.figure.formula}` : 'Choose a figure to see its formula.',
      ),
    ),
    h(
      'div',
      { class: 'grid three' },
      panel(
        'S5 policy',
        facts([
          ['Mode', line(policy.mode)],
          ['Version', line(String(policy.version))],
          ['Since', line(`${clock(policy.since)}, by ${policy.by}`)],
          ['Why', line(policy.reason === '' ? NONE : policy.reason)],
        ]),
      ),
      panel(
        'S3 leases',
        control.leases.length === 0
          ? h('p', { class: 'tone-dim' }, 'No lease yet.')
          : facts(
              control.leases.map(({ unit, slots, inFlight, floor, expiresAt }) => [
                unit,
                line(
                  `${inFlight}/${slots} slots`,
                  span(
                    `, floor ${floor}, ${expiresAt > takenAt ? `${duration(expiresAt - takenAt)} left` : 'expired'}`,
                    'dim',
                  ),
                ),
              ]),
            ),
      ),
      panel(
        'S3* audits',
        list(
          audit.findings.map(({ unit, at, latencyMs, discrepancies }) => [
            at,
            `${unit}: ${discrepancies.length === 0 ? 'as reported' : discrepancies.join('; ')} (${latency(latencyMs)})`,
          ]),
          'No audit yet.',
        ),
      ),
      panel(
        'S4 events',
        list(
          intelligence.recent.map(({ at, kind, unit, what }) => [at, `${kind} ${unit}: ${what}`]),
          'Nothing out of the ordinary.',
        ),
      ),
    ),
  ];
}

function list(entries: readonly (readonly [number, string])[], none: string): HTMLElement {
  if (entries.length === 0) return h('p', { class: 'tone-dim' }, none);
  return h(
    'ol',
    { class: 'log' },
    entries.slice(0, 10).map(([at, text]) => h('li', {}, spans(line(span(`${clock(at)} `, 'dim'), text)))),
  );
}
