/** What the dashboards show of the policy rules and of tool pins, as metrics. */
import { type Figure, one } from './definition.js';

export const SECURITY_FIGURES: readonly Figure[] = [
  {
    name: 'viable.rules.version',
    kind: 'gauge',
    unit: '{version}',
    description: 'Version of the rules in `gateway.policy`; grows with each change.',
    attributes: [],
    read: ({ rules }) => one(rules.version),
  },
  {
    name: 'viable.rules',
    kind: 'gauge',
    unit: '{rule}',
    description: 'Rules in `gateway.policy`.',
    attributes: [],
    read: ({ rules }) => one(rules.rules),
  },
  {
    name: 'viable.denials',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests for something that the rules keep from who asked.',
    attributes: [],
    read: ({ rules }) => one(rules.denials.total),
  },
  {
    name: 'viable.denials.recent',
    kind: 'gauge',
    unit: '{request}',
    description: 'The same over the last five minutes.',
    attributes: [],
    read: ({ rules }) => one(rules.denials.lastFiveMinutes),
  },
  {
    name: 'viable.tools.pinned',
    kind: 'gauge',
    unit: '{tool}',
    description: 'Tools whose definition is the pinned one.',
    attributes: [],
    read: ({ pinning }) => one(pinning.pinned),
  },
  {
    name: 'viable.tools.quarantined',
    kind: 'gauge',
    unit: '{tool}',
    description: 'Tools that are kept back because their definition is not the pinned one.',
    attributes: [],
    read: ({ pinning }) => one(pinning.quarantined),
  },
];
