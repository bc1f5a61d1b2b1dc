/** What the dashboards show of each circuit breaker, as metrics. */
import { type BreakerSnapshot, type BreakerState } from '../../admin/protocol.js';
import { type Figure, oneHot } from './definition.js';

const STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];
const ATTRIBUTE = 'viable.breaker';

export const BREAKER_FIGURES: readonly Figure[] = [
  {
    name: 'viable.breaker.state',
    kind: 'gauge',
    unit: '{breaker}',
    description: '1 for the state of the circuit breaker of an upstream or client transport, 0 for the others.',
    attributes: [ATTRIBUTE, 'state'],
    read: ({ breakers }) =>
      breakers.flatMap(({ name, state }) => oneHot('state', STATES, state, { [ATTRIBUTE]: name })),
  },
  figure('opens', 'counter', '{opening}', 'How often it has opened.', (row) => row.opens),
  figure('refused', 'counter', '{request}', 'Requests that it has refused.', (row) => row.refused),
  figure('consecutive_failures', 'gauge', '{request}', 'Failures in a row.', (row) => row.consecutiveFailures),
  figure('samples', 'gauge', '{request}', 'Requests in its window.', (row) => row.samples),
  figure('failures', 'gauge', '{request}', 'Failures in its window.', (row) => row.failures),
  figure(
    'failure_ratio',
    'gauge',
    '1',
    'Share of failures in its window. None without requests.',
    (row) => row.failureRatio,
  ),
  figure('flap_penalty', 'gauge', '1', 'Penalty for going to and fro.', (row) => row.flapPenalty),
];

function figure(
  name: string,
  kind: 'counter' | 'gauge',
  unit: string,
  description: string,
  read: (breaker: BreakerSnapshot) => number | null,
): Figure {
  return {
    name: `viable.breaker.${name}`,
    kind,
    unit,
    description,
    attributes: [ATTRIBUTE],
    read: ({ breakers }) =>
      breakers.flatMap((breaker) => {
        const value = read(breaker);
        return value === null ? [] : [{ value, attributes: { [ATTRIBUTE]: breaker.name } }];
      }),
  };
}
