/** What the dashboards show of the viable system and of the audit log, as metrics. */
import { type GatewaySnapshot } from '../../admin/protocol.js';
import { type Figure, one, oneHot } from './definition.js';

type Alarm = GatewaySnapshot['alarms']['active'][number];

const SEVERITIES: readonly Alarm['severity'][] = ['low', 'medium', 'high', 'critical'];
const STAGES: readonly Alarm['stage'][] = ['unit', 'control', 'policy', 'operator'];
const MODES: readonly GatewaySnapshot['vsm']['policy']['mode'][] = ['normal', 'conserve', 'lockdown'];

export const VIABILITY_FIGURES: readonly Figure[] = [
  {
    name: 'viable.alarms',
    kind: 'gauge',
    unit: '{alarm}',
    description: 'Living algedonic signals, by severity.',
    attributes: ['severity'],
    read: ({ alarms }) =>
      SEVERITIES.map((severity) => ({
        value: alarms.active.filter((alarm) => alarm.severity === severity).length,
        attributes: { severity },
      })),
  },
  {
    name: 'viable.alarms.stage',
    kind: 'gauge',
    unit: '{alarm}',
    description: 'Living algedonic signals, by who has them: the unit, S3, S5, the operator.',
    attributes: ['stage'],
    read: ({ alarms }) =>
      STAGES.map((stage) => ({
        value: alarms.active.filter((alarm) => alarm.stage === stage).length,
        attributes: { stage },
      })),
  },
  {
    name: 'viable.alarms.unacknowledged',
    kind: 'gauge',
    unit: '{alarm}',
    description: 'Living algedonic signals that nobody has acknowledged.',
    attributes: [],
    read: ({ alarms }) => one(alarms.active.filter(({ acknowledged }) => acknowledged === null).length),
  },
  {
    name: 'viable.alarms.intensity',
    kind: 'gauge',
    unit: '1',
    description: 'Of the worst living signal: 0 where pain begins, 1 for agony. None without signals.',
    attributes: [],
    read: ({ alarms }) =>
      one(alarms.active.length === 0 ? null : Math.max(...alarms.active.map(({ intensity }) => intensity))),
  },
  {
    name: 'viable.alarms.overflow',
    kind: 'counter',
    unit: '{reading}',
    description: 'Readings that found the algedonic channel full.',
    attributes: [],
    read: ({ alarms }) => one(alarms.overflow),
  },
  {
    name: 'viable.alarms.last_resort',
    kind: 'gauge',
    unit: '{alarm}',
    description: 'Alarms that had to be said without the channel or S5. 0 in health.',
    attributes: [],
    read: ({ alarms }) => one(alarms.lastResort.length),
  },
  {
    name: 'viable.policy.mode',
    kind: 'gauge',
    unit: '{mode}',
    description: '1 for the mode of admission that S5 holds, 0 for the others.',
    attributes: ['mode'],
    read: ({ vsm }) => oneHot('mode', MODES, vsm.policy.mode),
  },
  {
    name: 'viable.policy.version',
    kind: 'gauge',
    unit: '{version}',
    description: 'Version of S5’s policy.',
    attributes: [],
    read: ({ vsm }) => one(vsm.policy.version),
  },
  {
    name: 'viable.audit.written',
    kind: 'counter',
    unit: '{event}',
    description: 'Lines of the audit log. Only with one.',
    attributes: [],
    read: ({ audit }) => one(audit && audit.written),
  },
  {
    name: 'viable.audit.waiting',
    kind: 'gauge',
    unit: '{event}',
    description: 'Audit events that wait for the disk. Only with an audit log.',
    attributes: [],
    read: ({ audit }) => one(audit && audit.waiting),
  },
  {
    name: 'viable.audit.dropped',
    kind: 'counter',
    unit: '{event}',
    description: 'Audit events that did not fit the queue. Only with an audit log.',
    attributes: [],
    read: ({ audit }) => one(audit && audit.dropped),
  },
  {
    name: 'viable.audit.failing',
    kind: 'gauge',
    unit: '{log}',
    description: '1 while the audit log cannot be written. Only with one.',
    attributes: [],
    read: ({ audit }) => one(audit && (audit.trouble === null ? 0 : 1)),
  },
];
