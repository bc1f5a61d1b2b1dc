/** Page 6: the figures of S1 to S5, with the formula of the chosen one, the leases, and what S4 has seen. */
import { clock, duration } from '#src/admin/view/format.js';
import { line, span, type Line } from '#src/admin/view/line.js';
import { wrapText } from '#src/admin/view/text.js';
import { VIABILITY_COLUMNS, viabilityRows, type ViabilityRow } from '#src/admin/view/viability.js';
import type { Page, PageInput, PageOutput, Rectangle } from '../page.js';
import { listPane, textPane, type Pane } from '../pane.js';
import { beside, panel, type Block } from '../panel.js';

const FORMULA_HEIGHT = 6;
const BELOW_FROM_HEIGHT = 24;

export const viabilityPage: Page = { id: 'viability', title: 'Viability', keys: [], draw };

function draw(input: PageInput): PageOutput {
  const { snapshot, width, height, focus } = input;
  const rows = viabilityRows(snapshot.vsm);
  const top = height >= BELOW_FROM_HEIGHT ? rows.length + 3 : height - FORMULA_HEIGHT;
  const below = height - top - FORMULA_HEIGHT;
  const figures = listPane(input, {
    name: 'viability',
    title: 'Viability',
    place: { left: 0, top: 0, width, height: top },
    focused: below < 3 ? 'alone' : focus === 0,
    columns: VIABILITY_COLUMNS,
    rows,
    keyOf: ({ name }) => name,
    none: '',
    fixedOrder: true,
    filters: false,
  });
  const { chosen } = figures;
  const details = below < 3 ? [] : drawDetails(input, { left: 0, top: top + FORMULA_HEIGHT, width, height: below });
  return {
    lines: [
      ...figures.lines,
      ...panel(chosen?.figure.title ?? 'Formula', formula(chosen, width - 4), width, FORMULA_HEIGHT),
      ...(details.length === 0 ? [] : beside(...details.map(({ lines }) => lines))),
    ].slice(0, height),
    panes: [figures.layout, ...details.map(({ layout }) => layout)],
  };
}

function formula(row: ViabilityRow | undefined, width: number): Block {
  return row === undefined
    ? []
    : [
        ...wrapText(`${row.figure.formula} [${row.figure.unit}]`, width).map((part) => line(' ', part)),
        ...wrapText(row.figure.meaning, width).map((part) => line(' ', span(part, 'dim'))),
      ];
}

function drawDetails(input: PageInput, place: Rectangle): readonly Pane[] {
  const { vsm, takenAt } = input.snapshot;
  const left = Math.floor(place.width / 2);
  const leases = vsm.control.leases.map(({ unit, slots, inFlight, floor, expiresAt }): Line => {
    const rest = expiresAt > takenAt ? `${duration(expiresAt - takenAt)} left` : 'expired';
    return line(` ${unit} `, span(`${inFlight}/${slots}`, 'strong'), span(`  floor ${floor}, ${rest}`, 'dim'));
  });
  const events = vsm.intelligence.recent.map(({ at, kind, unit, what }): Line => {
    return line(span(` ${clock(at)} `, 'dim'), span(`${kind} `, 'accent'), `${unit}: ${what}`);
  });
  return [
    textPane(input, {
      name: 'viability/leases',
      title: 'S3 leases',
      place: { ...place, width: left },
      focused: input.focus === 1,
      content: leases.length > 0 ? leases : [[span(' No lease yet.', 'dim')]],
    }),
    textPane(input, {
      name: 'viability/events',
      title: 'S4 events',
      place: { ...place, left, width: place.width - left },
      focused: input.focus >= 2,
      content: events.length > 0 ? events : [[span(' Nothing out of the ordinary.', 'dim')]],
    }),
  ];
}
