/** What the dashboards show of each upstream, as metrics. */
import { type BreakerState, type UpstreamSnapshot, type UpstreamState } from '../../admin/protocol.js';
import { type Figure, oneHot } from './definition.js';

const STATES: readonly UpstreamState[] = ['connecting', 'initializing', 'ready', 'backoff', 'disabled', 'stopped'];
const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];
const ATTRIBUTE = 'viable.upstream';

export const UPSTREAM_FIGURES: readonly Figure[] = [
  {
    name: 'viable.upstream.state',
    kind: 'gauge',
    unit: '{upstream}',
    description: '1 for the state that the upstream is in, 0 for the others.',
    attributes: [ATTRIBUTE, 'state'],
    read: ({ upstreams }) =>
      upstreams.flatMap(({ name, state }) => oneHot('state', STATES, state, { [ATTRIBUTE]: name })),
  },
  {
    name: 'viable.upstream.breaker',
    kind: 'gauge',
    unit: '{upstream}',
    description: '1 for the state of the upstream’s circuit breaker, 0 for the others.',
    attributes: [ATTRIBUTE, 'state'],
    read: ({ upstreams }) =>
      upstreams.flatMap(({ name, breaker }) => oneHot('state', BREAKER_STATES, breaker, { [ATTRIBUTE]: name })),
  },
  figure('in_flight', 'gauge', '{request}', 'Calls that wait for the upstream’s answer.', (up) => up.inFlight),
  figure('calls', 'counter', '{request}', 'Calls sent to the upstream.', (up) => up.calls),
  figure('failures', 'counter', '{request}', 'Calls that failed.', (up) => up.failures),
  figure('reconnects', 'counter', '{connection}', 'Successful handshakes after the first.', (up) => up.reconnects),
  figure('junk', 'counter', 'By', 'Bytes from the upstream that are no message.', (up) => up.junkBytes),
  figure('limit', 'gauge', '{request}', 'Calls at a time that are let through now.', (up) => up.concurrency.limit),
  figure('limit_max', 'gauge', '{request}', 'The most that are ever let through.', (up) => up.concurrency.max),
  figure('gradient', 'gauge', '1', 'How quick it answers: 1 as usual, down to 0.5.', (up) => up.concurrency.gradient),
  figure(
    'over_limit',
    'counter',
    '{request}',
    'Calls that the adaptive limit has kept out.',
    (up) => up.concurrency.refused,
  ),
  figure('retries', 'counter', '{request}', 'Calls that were sent once more.', (up) => up.retries.sent),
  figure(
    'retries_refused',
    'counter',
    '{request}',
    'Calls that were not, since there had been too many.',
    (up) => up.retries.refused,
  ),
  figure('retry_budget', 'gauge', '{request}', 'Retries that the budget has left.', (up) => up.retries.budget),
  figure('tools', 'gauge', '{tool}', 'Tools that the upstream lists.', (up) => up.tools),
  figure('prompts', 'gauge', '{prompt}', 'Prompts that the upstream lists.', (up) => up.prompts),
  figure('resources', 'gauge', '{resource}', 'Resources that the upstream lists.', (up) => up.resources),
  figure(
    'resource_templates',
    'gauge',
    '{template}',
    'Resource templates that the upstream lists.',
    (up) => up.resourceTemplates,
  ),
];

function figure(
  name: string,
  kind: 'counter' | 'gauge',
  unit: string,
  description: string,
  read: (upstream: UpstreamSnapshot) => number | null,
): Figure {
  return {
    name: `viable.upstream.${name}`,
    kind,
    unit,
    description,
    attributes: [ATTRIBUTE],
    read: ({ upstreams }) =>
      upstreams.flatMap((upstream) => {
        const value = read(upstream);
        return value === null ? [] : [{ value, attributes: { [ATTRIBUTE]: upstream.name } }];
      }),
  };
}
