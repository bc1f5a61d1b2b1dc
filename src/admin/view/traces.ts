/** The newest traces as a table: a row for each span, those of one trace under its first. Pure. */
import type { SpanSnapshot, TraceSnapshot, TracesSnapshot } from '../snapshot/traces.js';
import { clock, latency, percent } from './format.js';
import { gauge } from './gauge.js';
import { span, type Span } from './line.js';
import type { Column } from './table.js';

export interface SpanRow {
  readonly trace: TraceSnapshot;
  readonly span: SpanSnapshot;
  /** 0 for the first of its trace. */
  readonly depth: number;
  /** When the trace began, and how long it took in all. */
  readonly from: number;
  readonly took: number;
}

const BAR = 16;

export const SPAN_COLUMNS: readonly Column<SpanRow>[] = [
  { title: 'AT', rank: 2, cell: ({ span: { startedAt }, depth }) => span(depth === 0 ? clock(startedAt) : '', 'dim') },
  { title: 'SPAN', min: 20, cell: spanTitle },
  { title: 'TOOK', align: 'right', cell: ({ span: { durationMs } }) => latency(durationMs) },
  {
    title: 'OUTCOME',
    rank: 1,
    cell: ({ span: { error } }) => (error === null ? span('✓', 'ok') : span(`✖ ${error}`, 'bad')),
  },
  { title: 'WHEN', rank: 5, cell: waterfall },
  { title: 'VIA', rank: 4, cell: (row) => span(viaOf(row), 'dim') },
  { title: 'TRACE', rank: 3, cell: ({ trace, depth }) => span(depth === 0 ? trace.traceId : '', 'dim') },
];

/** @param filter case-insensitive part of a name, an error, an attribute or a trace id; a trace is shown whole */
export function spanRows(traces: readonly TraceSnapshot[], filter = ''): readonly SpanRow[] {
  const needle = filter.toLowerCase();
  return traces.filter((trace) => needle === '' || contains(trace, needle)).flatMap(rowsOf);
}

/** Why there are no traces, and what to do for some; `null` when requests are traced. */
export function tracingAdvice({
  tracing,
  samplingRate,
}: Pick<TracesSnapshot, 'tracing' | 'samplingRate'>): string | null {
  if (!tracing)
    return 'Tracing is off. Start with OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318, set gateway.telemetry.endpoint, or type `viable features enable tracing`.';
  return samplingRate === 0
    ? 'Tracing is on, but of no request: `viable sampling 0.01` records one in a hundred.'
    : null;
}

/** `1.0 % of requests`. */
export function samplingText({ tracing, samplingRate }: Pick<TracesSnapshot, 'tracing' | 'samplingRate'>): string {
  return tracing ? `${percent(100 * samplingRate)} of requests` : 'off';
}

function rowsOf(trace: TraceSnapshot): readonly SpanRow[] {
  const parents = new Map(trace.spans.map(({ spanId, parentId }) => [spanId, parentId]));
  const depthOf = (id: string | null): number => {
    let depth = -1;
    // A span cannot be its own forefather; a trace that says so is cut off after as many steps as it has spans.
    for (let at = id; at !== null && parents.has(at) && depth < trace.spans.length; at = parents.get(at) ?? null)
      depth += 1;
    return Math.max(0, depth);
  };
  const from = Math.min(...trace.spans.map(({ startedAt }) => startedAt));
  const took = Math.max(...trace.spans.map(({ startedAt, durationMs }) => startedAt + durationMs)) - from;
  return trace.spans.map((one) => ({ trace, span: one, depth: depthOf(one.spanId), from, took }));
}

function spanTitle({ span: { name, kind }, depth }: SpanRow): Span {
  return span(`${depth === 0 ? '' : `${'  '.repeat(depth - 1)}└ `}${name}`, kind === 'server' ? 'strong' : 'plain');
}

/** Where in the time of its trace a span was: `░░███░░`. */
function waterfall({ span: { startedAt, durationMs }, from, took }: SpanRow): Span {
  const start = took === 0 ? 0 : Math.min(BAR - 1, Math.floor(((startedAt - from) / took) * BAR));
  const length = took === 0 ? BAR : Math.max(1, Math.min(BAR - start, Math.round((durationMs / took) * BAR)));
  return span(gauge(0, start) + gauge(1, length) + gauge(0, BAR - start - length), 'info');
}

function viaOf({ span: { attributes, kind } }: SpanRow): string {
  return kind === 'client' ? (attributes['viable.upstream'] ?? '') : (attributes['viable.transport'] ?? '');
}

function contains({ traceId, spans }: TraceSnapshot, needle: string): boolean {
  if (traceId.includes(needle)) return true;
  return spans.some(({ name, error, attributes }) =>
    [name, error ?? '', ...Object.values(attributes)].some((text) => text.toLowerCase().includes(needle)),
  );
}
