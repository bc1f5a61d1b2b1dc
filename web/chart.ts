/** Line charts that grow with the snapshots. uPlot draws; what is drawn is a bounded series. */
import uPlot from 'uplot';
import { clock } from '#src/admin/view/format.js';
import { h } from './dom.js';

export interface Series {
  readonly label: string;
  /** A CSS variable of the palette: `--chart-1`. */
  readonly colour: string;
  /** Drawn dashed, so that colour is not the only difference. */
  readonly dashed?: true;
}

export interface ChartOptions {
  readonly label: string;
  readonly series: readonly Series[];
  /** How a value is written on the axis and in the legend. */
  readonly format: (value: number) => string;
}

const HEIGHT = 180;

/** A chart in an element of its own, as wide as that. `null` values are gaps. */
export class Chart {
  readonly element: HTMLElement;
  readonly #canvas: HTMLElement;
  readonly #legend = h('p', { class: 'legend' });
  readonly #options: ChartOptions;
  #plot: uPlot | null = null;
  #data: uPlot.AlignedData = [[]];
  readonly #observer: ResizeObserver;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#canvas = h('div', { class: 'chart', role: 'img', 'aria-label': options.label });
    this.element = h('div', {}, this.#canvas, this.#legend);
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(this.#canvas);
  }

  /** @param times seconds since the epoch @param values one list a series, as long as `times` */
  set(times: readonly number[], values: readonly (readonly (number | null)[])[]): void {
    this.#data = [[...times], ...values.map((list) => [...list])] as uPlot.AlignedData;
    const last = this.#options.series.map(({ label }, at) => `${label} ${this.#text(values[at]?.at(-1))}`);
    this.#canvas.setAttribute('aria-label', `${this.#options.label}: ${last.join(', ')}`);
    this.#legend.replaceChildren(...last.map((text, at) => h('span', { class: `series-${at + 1}` }, text)));
    this.#plot?.setData(this.#data);
  }

  /** The colours have changed. */
  repaint(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#fit();
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #text(value: number | null | undefined): string {
    return value === null || value === undefined ? '–' : this.#options.format(value);
  }

  #fit(): void {
    const width = Math.floor(this.#canvas.clientWidth);
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: HEIGHT });
    else this.#plot = new uPlot(this.#uplot(width), this.#data, this.#canvas);
  }

  #uplot(width: number): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--dim'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    return {
      width,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [
        { ...axis, space: 80, values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1_000)) },
        { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => this.#options.format(tick)) },
      ],
      series: [
        {},
        ...this.#options.series.map(({ label, colour: name, dashed }) => ({
          label,
          stroke: colour(name),
          width: 1.5,
          spanGaps: false,
          points: { show: false },
          ...(dashed && { dash: [6, 4] }),
        })),
      ],
    };
  }
}
