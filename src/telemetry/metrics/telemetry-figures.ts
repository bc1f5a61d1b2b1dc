/** How tracing fares, as metrics. */
import { type Figure, one } from './definition.js';

const OUTCOMES = ['started', 'exported', 'dropped', 'failed'] as const;

export const TELEMETRY_FIGURES: readonly Figure[] = [
  {
    name: 'viable.tracing.running',
    kind: 'gauge',
    unit: '{gateway}',
    description: '1 while requests are traced.',
    attributes: [],
    read: ({ telemetry }) => one(telemetry.tracing ? 1 : 0),
  },
  {
    name: 'viable.tracing.sampling',
    kind: 'gauge',
    unit: '1',
    description: 'Share of the traces that begin here which is recorded.',
    attributes: [],
    read: ({ telemetry }) => one(telemetry.samplingRate),
  },
  {
    name: 'viable.tracing.spans',
    kind: 'counter',
    unit: '{span}',
    description:
      'Spans by what became of them: begun, taken by the collector, dropped for want of room in the queue, or lost with a failed export.',
    attributes: ['outcome'],
    read: ({ telemetry: { spans } }) => OUTCOMES.map((outcome) => ({ value: spans[outcome], attributes: { outcome } })),
  },
  {
    name: 'viable.tracing.queue',
    kind: 'gauge',
    unit: '{span}',
    description: 'Spans that wait for the next export.',
    attributes: [],
    read: ({ telemetry: { spans } }) => one(spans.queued),
  },
];
