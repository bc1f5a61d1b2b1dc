/** Page 6: the figures of S1 to S5, with the formula of the chosen one, the leases, and what S4 has seen. */
import { clock, duration } from '#src/admin/view/format.js';
import { line, span, type Line } from '#src/admin/view/line.js';
import { wrapText } from '#src/admin/view/text.js';
import { VIABILITY_COLUMNS, viabilityRows, type ViabilityRow } from '#src/admin/view/viability.js';
import { drawList, placeList } from '../list.js';
import type { Page, PageInput, PageOutput } from '../page.js';
import { beside, panel, type Block } from '../panel.js';

const FORMULA_HEIGHT = 5;
const BELOW_FROM_HEIGHT = 24;

export const viabilityPage: Page = { id: 'viability', title: 'Viability', keys: [['↑↓', 'Formula']], draw };

function draw({ snapshot, list: state, width, height }: PageInput): PageOutput {
  const rows = viabilityRows(snapshot.vsm);
  const top = height >= BELOW_FROM_HEIGHT ? rows.length + 3 : height - FORMULA_HEIGHT;
  const list = placeList(
    state,
    rows.map(({ name }) => name),
    top - 3,
  );
  const table = drawList(VIABILITY_COLUMNS, rows, list, width - 2, '');
  const chosen = rows[list.cursor];
  const below = height - top - FORMULA_HEIGHT;
  const lines = [
    ...panel('Viability', table, width, top),
    ...panel(chosen?.figure.title ?? 'Formula', formula(chosen, width - 4), width, FORMULA_HEIGHT),
    ...(below >= 3 ? details(snapshot, width, below) : []),
  ];
  return { lines: lines.slice(0, height), list };
}

function formula(row: ViabilityRow | undefined, width: number): Block {
  return row === undefined
    ? []
    : wrapText(`${row.figure.formula} [${row.figure.unit}]`, width).map((part) => line(' ', part));
}

function details({ vsm, takenAt }: PageInput['snapshot'], width: number, height: number): Block {
  const left = Math.floor(width / 2);
  const leases = vsm.control.leases.map(({ unit, slots, inFlight, floor, expiresAt }): Line => {
    const rest = expiresAt > takenAt ? `${duration(expiresAt - takenAt)} left` : 'expired';
    return line(` ${unit} `, span(`${inFlight}/${slots}`, 'strong'), span(`  floor ${floor}, ${rest}`, 'dim'));
  });
  const events = vsm.intelligence.recent.map(({ at, kind, unit, what }): Line => {
    return line(span(` ${clock(at)} `, 'dim'), span(`${kind} `, 'accent'), `${unit}: ${what}`);
  });
  return beside(
    panel('S3 leases', leases.length > 0 ? leases : [[span(' No lease yet.', 'dim')]], left, height),
    panel(
      'S4 events',
      events.length > 0 ? events : [[span(' Nothing out of the ordinary.', 'dim')]],
      width - left,
      height,
    ),
  );
}
