/**
 * The one widget of blessed-contrib that is used, by its own module: the package's index loads maps, Markdown and
 * picture widgets too and takes three times as long to start.
 */
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  import type { Widgets } from 'blessed';

  namespace line {
    interface Series {
      readonly title?: string;
      readonly x: readonly string[];
      readonly y: readonly number[];
      readonly style?: { readonly line?: string };
    }

    interface Options extends Widgets.BoxOptions {
      maxY?: number;
      numYLabels?: number;
      wholeNumbersOnly?: boolean;
      abbreviate?: boolean;
      /** Dots (two a cell) left of the axis. */
      xPadding?: number;
      xLabelPadding?: number;
      style?: { line?: string; text?: string; baseline?: string };
    }

    interface LineChart extends Widgets.BoxElement {
      options: Options;
      canvasSize: { width: number; height: number };
      /** Sets `canvasSize`, in dots; called when the chart is attached. */
      calcSize(): void;
      /** Only after the chart was appended to a screen. */
      setData(series: readonly Series[]): void;
    }
  }

  /** A line chart in Braille dots. */
  function line(options: line.Options): line.LineChart;
  export = line;
}
