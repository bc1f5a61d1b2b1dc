/** What the dashboards show of the gateway as a whole, as metrics. */
import { CLIENT_TRANSPORTS, type GatewayPhase, type SupervisionNode } from '../../admin/protocol.js';
import { type Figure, one, oneHot, type Sample } from './definition.js';

const PHASES: readonly GatewayPhase[] = ['starting', 'running', 'lame_duck', 'draining', 'stopping'];
const NODE_STATES: readonly SupervisionNode['state'][] = [
  'starting',
  'running',
  'stopping',
  'stopped',
  'restarting',
  'failed',
];

export const GATEWAY_FIGURES: readonly Figure[] = [
  {
    name: 'viable.info',
    kind: 'gauge',
    unit: '{gateway}',
    description: 'Always 1; its attributes say what runs.',
    attributes: ['version', 'node'],
    read: ({ version, node }) => [{ value: 1, attributes: { version, node } }],
  },
  {
    name: 'viable.uptime',
    kind: 'gauge',
    unit: 's',
    description: 'Since the gateway was made.',
    attributes: [],
    read: ({ takenAt, startedAt }) => one((takenAt - startedAt) / 1_000),
  },
  {
    name: 'viable.phase',
    kind: 'gauge',
    unit: '{gateway}',
    description: '1 for the phase that the gateway is in, 0 for the others.',
    attributes: ['phase'],
    read: ({ phase }) => oneHot('phase', PHASES, phase),
  },
  {
    name: 'viable.drain.connections',
    kind: 'gauge',
    unit: '{connection}',
    description: 'Connections that a drain waits for. Only while it drains.',
    attributes: [],
    read: ({ drain }) => one(drain && drain.connectionsLeft),
  },
  {
    name: 'viable.drain.remaining',
    kind: 'gauge',
    unit: 's',
    description: 'Until a drain stops waiting. Only while it drains.',
    attributes: [],
    read: ({ drain, takenAt }) => one(drain && Math.max(0, drain.deadlineAt - takenAt) / 1_000),
  },
  {
    name: 'viable.connections',
    kind: 'gauge',
    unit: '{connection}',
    description: 'Sessions (http) and connections (sse, websocket) that clients have open.',
    attributes: ['viable.transport'],
    read: ({ connections }) => byTransport((transport) => connections.byTransport[transport]),
  },
  {
    name: 'viable.sockets',
    kind: 'gauge',
    unit: '{socket}',
    description: 'Open TCP sockets of the HTTP listener.',
    attributes: [],
    read: ({ connections }) => one(connections.sockets),
  },
  {
    name: 'viable.messages',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages on the side of the clients, both ways.',
    attributes: [],
    read: ({ throughput }) => one(throughput.messagesTotal),
  },
  {
    name: 'viable.throughput',
    kind: 'gauge',
    unit: '{message}/s',
    description: 'Messages of the last whole second, both ways, on the side of the clients.',
    attributes: [],
    read: ({ throughput }) => one(throughput.perSecond.at(-1) ?? null),
  },
  {
    name: 'viable.errors',
    kind: 'gauge',
    unit: '1',
    description:
      'Share of the requests of the last minute that failed through an upstream, the transport or time. None without requests.',
    attributes: ['viable.transport'],
    read: ({ errors }) =>
      errors.flatMap(({ transport, percent }) =>
        percent === null ? [] : [{ value: percent / 100, attributes: { 'viable.transport': transport } }],
      ),
  },
  {
    name: 'viable.errors.samples',
    kind: 'gauge',
    unit: '{request}',
    description: 'Requests of the last minute that the share of errors is taken of.',
    attributes: ['viable.transport'],
    read: ({ errors }) =>
      errors.map(({ transport, samples }) => ({ value: samples, attributes: { 'viable.transport': transport } })),
  },
  {
    name: 'viable.requests.in_flight',
    kind: 'gauge',
    unit: '{request}',
    description: 'Requests of clients that wait for an upstream.',
    attributes: [],
    read: ({ requests }) => one(requests.inFlight),
  },
  {
    name: 'viable.requests',
    kind: 'counter',
    unit: '{request}',
    description:
      'Requests by how they ended: answered, or failed through an upstream, the transport or time. A client’s own mistakes are in neither.',
    attributes: ['outcome'],
    read: ({ requests }) => [
      { value: requests.answered, attributes: { outcome: 'answered' } },
      { value: requests.failed, attributes: { outcome: 'failed' } },
    ],
  },
  {
    name: 'viable.requests.latency',
    kind: 'gauge',
    unit: 's',
    description: 'Latency of calls over the last minute. None without calls.',
    attributes: ['quantile'],
    read: ({ requests: { p50, p99 } }) => [...quantile('0.5', p50), ...quantile('0.99', p99)],
  },
  {
    name: 'viable.drops',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that were thrown away, by reason.',
    attributes: ['reason'],
    read: ({ drops }) => drops.map(({ reason, count }) => ({ value: count, attributes: { reason } })),
  },
  {
    name: 'viable.actors',
    kind: 'gauge',
    unit: '{actor}',
    description: 'Nodes of the supervision tree that are listed, by state.',
    attributes: ['state'],
    read: ({ tree }) => {
      const nodes = [...flatten(tree)];
      return NODE_STATES.map((state) => ({
        value: nodes.filter((node) => node.state === state).length,
        attributes: { state },
      }));
    },
  },
  {
    name: 'viable.actors.restarts',
    kind: 'gauge',
    unit: '{restart}',
    description: 'Restarts of the children that each branch has now.',
    attributes: ['branch'],
    read: ({ tree }) => tree.children.map((branch) => ({ value: sum(branch), attributes: { branch: branch.id } })),
  },
  {
    name: 'viable.mailbox.depth',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages in the fullest mailbox, by lane.',
    attributes: ['lane'],
    read: ({ tree }) => {
      const nodes = [...flatten(tree)];
      return (['urgent', 'normal'] as const).map((lane) => ({
        value: nodes.reduce((most, node) => Math.max(most, node.mailbox[lane]), 0),
        attributes: { lane },
      }));
    },
  },
  {
    name: 'viable.config.version',
    kind: 'gauge',
    unit: '{version}',
    description: 'Configurations that were taken over, the first one included.',
    attributes: [],
    read: ({ config }) => one(config.version),
  },
  {
    name: 'viable.config.rejected',
    kind: 'gauge',
    unit: '{file}',
    description: '1 while the newest version of the file is refused and an older one runs.',
    attributes: [],
    read: ({ config }) => one(config.rejected === null ? 0 : 1),
  },
  {
    name: 'process.memory.usage',
    kind: 'gauge',
    unit: 'By',
    description: 'Resident memory of the gateway’s process.',
    attributes: [],
    read: ({ process }) => one(process.rssBytes),
  },
  {
    name: 'v8js.memory.heap.used',
    kind: 'gauge',
    unit: 'By',
    description: 'JavaScript heap in use.',
    attributes: [],
    read: ({ process }) => one(process.heapUsedBytes),
  },
  {
    name: 'process.cpu.utilization',
    kind: 'gauge',
    unit: '1',
    description: 'CPU time of the last second, user and system, of one core.',
    attributes: [],
    read: ({ process }) => one(process.cpuPercent === null ? null : process.cpuPercent / 100),
  },
  {
    name: 'nodejs.eventloop.delay.p99',
    kind: 'gauge',
    unit: 's',
    description: 'Delay of the event loop over the last second, 99th percentile.',
    attributes: [],
    read: ({ process }) => one(process.loopDelayP99 === null ? null : process.loopDelayP99 / 1_000),
  },
];

function byTransport(read: (transport: (typeof CLIENT_TRANSPORTS)[number]) => number): Sample[] {
  return CLIENT_TRANSPORTS.map((transport) => ({
    value: read(transport),
    attributes: { 'viable.transport': transport },
  }));
}

function quantile(quantile: string, milliseconds: number | null): Sample[] {
  return milliseconds === null ? [] : [{ value: milliseconds / 1_000, attributes: { quantile } }];
}

function* flatten(node: SupervisionNode): Iterable<SupervisionNode> {
  yield node;
  for (const child of node.children) yield* flatten(child);
}

function sum(branch: SupervisionNode): number {
  let restarts = 0;
  for (const node of flatten(branch)) restarts += node.restarts;
  return restarts;
}
