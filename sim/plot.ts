/** Series of numbers as an SVG, drawn headless by vega-lite. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export interface Point {
  readonly t: number;
  readonly value: number;
  readonly series: string;
  /** With the subsystem, or without. */
  readonly panel: string;
}

export interface Plot {
  readonly title: string;
  readonly axis: string;
  readonly points: readonly Point[];
}

const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/** Two panels side by side on one scale, so that they compare. */
export async function svg({ title, axis, points }: Plot): Promise<string> {
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const spec: TopLevelSpec = {
    title: { text: title, anchor: 'start', fontSize: 13 },
    background: 'white',
    data: { values: [...points] },
    facet: { column: { field: 'panel', type: 'nominal', title: null, sort: panels } },
    spec: {
      width: 360,
      height: 180,
      mark: { type: 'line', strokeWidth: 1.5 },
      encoding: {
        x: { field: 't', type: 'quantitative', title: 'seconds' },
        y: { field: 'value', type: 'quantitative', title: axis },
        color: { field: 'series', type: 'nominal', title: null, scale: { range: PALETTE } },
        strokeDash: { field: 'series', type: 'nominal', title: null },
      },
    },
    config: { font: 'sans-serif' },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const drawn = await view.toSVG();
  view.finalize();
  return `${drawn}\n`;
}
