/**
 * The whole supervision tree, as one constant. `docs/SUPERVISION.md` is rendered from it, the gateway boots it, and a
 * test compares it with the tree that runs.
 *
 * Children stand in start order; they stop in reverse. `<name>` in an id stands for children that come at run time.
 */
import { type Intensity, type Restart, type Strategy } from '../kernel/index.js';

interface NodeBase {
  readonly id: string;
  /** What it is for, one line. */
  readonly role: string;
  readonly restart: Restart;
}

export interface ActorNode extends NodeBase {
  readonly type: 'actor';
  /** Milliseconds that a stop may take. */
  readonly shutdownMs?: number;
  /** Started only when a setting asks for it. */
  readonly optional?: true;
}

export interface SupervisorNode extends NodeBase {
  readonly type: 'supervisor';
  readonly strategy: Strategy;
  readonly intensity: Intensity;
  /** Restarts of its children wait, longer each time. */
  readonly backoff?: true;
  readonly children: readonly TreeNode[];
}

/** Its children come at run time; `children` are their templates. */
export interface DynamicNode extends NodeBase {
  readonly type: 'dynamic';
  readonly intensity: Intensity;
  readonly children: readonly TreeNode[];
}

export interface PartitionedNode extends NodeBase {
  readonly type: 'partitioned';
  readonly intensity: Intensity;
  readonly partitionIntensity: Intensity;
  readonly partitionSize: number;
  readonly children: readonly TreeNode[];
}

export type TreeNode = ActorNode | SupervisorNode | DynamicNode | PartitionedNode;

/** One configured upstream. Its lifecycle and its pool adopt the sessions that run, so that a crash is no outage. */
export const UPSTREAM = {
  id: 'upstream:<name>',
  role: 'one upstream server',
  type: 'supervisor',
  restart: 'permanent',
  strategy: 'rest_for_one',
  intensity: { max: 5, withinMs: 30_000 },
  children: [
    {
      id: 'sessions',
      role: 'MCP sessions with the server',
      type: 'dynamic',
      restart: 'permanent',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        {
          id: 'session-<n>',
          role: 'one session over one transport; holds the calls that wait',
          type: 'actor',
          restart: 'temporary',
        },
        {
          id: 'worker-<n>',
          role: 'the same for whoever holds it: a client session, a call, a principal',
          type: 'actor',
          restart: 'temporary',
        },
        { id: 'shared-<n>', role: 'the same for clients that share it', type: 'actor', restart: 'temporary' },
      ],
    },
    { id: 'lifecycle', role: 'connects, waits, connects again; keeps the gate', type: 'actor', restart: 'permanent' },
    { id: 'pool', role: 'gives out sessions to those who share none', type: 'actor', restart: 'permanent' },
    // Last, so that it takes nobody with it: what it knows is on the gate.
    { id: 'breaker', role: 'refuses calls while the server is in trouble', type: 'actor', restart: 'permanent' },
    { id: 'concurrency', role: 'how many calls it gets at a time', type: 'actor', restart: 'permanent' },
  ],
} as const satisfies SupervisorNode;

export const TREE = {
  id: 'root',
  role: 'no branch takes another down; its own intensity ends the process',
  type: 'supervisor',
  restart: 'permanent',
  strategy: 'one_for_one',
  intensity: { max: 20, withinMs: 60_000 },
  backoff: true,
  children: [
    {
      id: 'vitals',
      role: 'what everybody needs to be watched by',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        {
          id: 'telemetry',
          role: 'the OpenTelemetry SDK, while a collector is configured',
          type: 'actor',
          restart: 'permanent',
        },
        {
          id: 'audit-log',
          role: 'who did what, into a file; nobody waits for it',
          type: 'actor',
          restart: 'permanent',
          optional: true,
        },
        { id: 'metrics', role: 'counters into windows, once a second', type: 'actor', restart: 'permanent' },
        { id: 'vital-signs', role: 'what hurts, told to the algedonic channel', type: 'actor', restart: 'permanent' },
      ],
    },
    {
      id: 'viability',
      role: 'the viable system; without it the last leases and the last policy hold',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 10, withinMs: 30_000 },
      children: [
        { id: 'policy', role: 'S5: modes of admission, decides on alarms', type: 'actor', restart: 'permanent' },
        { id: 'algedonic', role: 'pain and pleasure, escalated in time', type: 'actor', restart: 'permanent' },
        { id: 'intelligence', role: 'S4: forecasts, anomalies, the environment', type: 'actor', restart: 'permanent' },
        { id: 'control', role: 'S3: grants leases, holds units to account', type: 'actor', restart: 'permanent' },
        { id: 'audit', role: 'S3*: looks past the reports', type: 'actor', restart: 'permanent' },
        { id: 'coordination', role: 'S2: damps flapping, paces herds', type: 'actor', restart: 'permanent' },
      ],
    },
    {
      id: 'operations',
      role: 'the upstreams and what they offer',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        { id: 'tool-pins', role: 'the file of pinned tool definitions', type: 'actor', restart: 'permanent' },
        { id: 'catalogue', role: 'merges listings into the routing table', type: 'actor', restart: 'permanent' },
        {
          id: 'units',
          role: 'S1, as it accounts for itself',
          type: 'dynamic',
          restart: 'permanent',
          intensity: { max: 20, withinMs: 30_000 },
          children: [
            {
              id: 'unit:<name>',
              role: 'closes the books of one upstream or client transport',
              type: 'actor',
              restart: 'permanent',
            },
          ],
        },
        { id: 'census', role: 'sees to it that everything is a unit', type: 'actor', restart: 'permanent' },
        {
          id: 'provisioning',
          role: 'upstreams as configured',
          type: 'supervisor',
          restart: 'permanent',
          strategy: 'rest_for_one',
          intensity: { max: 5, withinMs: 30_000 },
          children: [
            {
              id: 'upstreams',
              role: 'one supervisor for each upstream',
              type: 'dynamic',
              restart: 'permanent',
              intensity: { max: 20, withinMs: 30_000 },
              children: [UPSTREAM],
            },
            {
              id: 'configuration',
              role: 'starts and stops upstreams by difference',
              type: 'actor',
              restart: 'permanent',
            },
          ],
        },
      ],
    },
    {
      id: 'admission',
      role: 'who may do what, how often: the slow half, behind the data path',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        {
          id: 'authenticator',
          role: 'key sets of issuers, revocations',
          type: 'actor',
          restart: 'permanent',
          shutdownMs: 2_000,
        },
        { id: 'limiter', role: 'forgets the keys of limits that have rested', type: 'actor', restart: 'permanent' },
      ],
    },
    {
      id: 'front',
      role: 'the clients; connections stand before listeners, so a listener that crashes leaves them alone',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'rest_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        {
          id: 'session-registry',
          role: 'the directory of sessions; speaks to many',
          type: 'actor',
          restart: 'permanent',
        },
        {
          id: 'connections',
          role: 'everything that a client holds open',
          type: 'partitioned',
          restart: 'permanent',
          intensity: { max: 20, withinMs: 30_000 },
          partitionIntensity: { max: 20, withinMs: 30_000 },
          partitionSize: 100,
          children: [
            {
              id: 'socket-<n>',
              role: 'a TCP connection of the HTTP listener',
              type: 'actor',
              restart: 'temporary',
              shutdownMs: 1_000,
            },
            { id: 'http-<n>', role: 'a Streamable HTTP session', type: 'actor', restart: 'temporary' },
            { id: 'sse-<n>', role: 'an HTTP+SSE connection', type: 'actor', restart: 'temporary' },
            { id: 'ws-<n>', role: 'a WebSocket connection', type: 'actor', restart: 'temporary' },
            {
              id: 'bridge-<n>',
              role: 'a call of a modern client that a legacy server may answer with a question',
              type: 'actor',
              restart: 'temporary',
            },
            { id: 'phx-<n>', role: 'a Phoenix Channels connection', type: 'actor', restart: 'temporary' },
          ],
        },
        {
          id: 'listeners',
          role: 'listening sockets',
          type: 'supervisor',
          restart: 'permanent',
          strategy: 'one_for_one',
          intensity: { max: 10, withinMs: 30_000 },
          children: [
            { id: 'http', role: 'accepts connections on the configured address', type: 'actor', restart: 'permanent' },
          ],
        },
        {
          id: 'breakers',
          role: 'refuse newcomers on a client transport that fails',
          type: 'supervisor',
          restart: 'permanent',
          strategy: 'one_for_one',
          intensity: { max: 10, withinMs: 30_000 },
          children: [
            { id: 'http', role: 'of Streamable HTTP', type: 'actor', restart: 'permanent' },
            { id: 'sse', role: 'of HTTP+SSE', type: 'actor', restart: 'permanent' },
            { id: 'websocket', role: 'of WebSocket and Phoenix Channels', type: 'actor', restart: 'permanent' },
          ],
        },
      ],
    },
    {
      id: 'drain',
      role: 'takes the gateway, or a part of it, out of service without losing work',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        {
          id: 'partial',
          role: 'drains of an upstream, a session, a principal, a listener',
          type: 'dynamic',
          restart: 'permanent',
          intensity: { max: 20, withinMs: 30_000 },
          children: [
            { id: '<target>', role: 'one of them, from its begin to its end', type: 'actor', restart: 'transient' },
          ],
        },
        { id: 'gateway', role: "the gateway's own drain; starts the others", type: 'actor', restart: 'permanent' },
        { id: 'handover', role: 'starts a successor and hands over to it', type: 'actor', restart: 'permanent' },
      ],
    },
    {
      id: 'consoles',
      role: 'who watches and commands',
      type: 'supervisor',
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: { max: 5, withinMs: 30_000 },
      children: [
        { id: 'admin', role: 'the admin socket', type: 'actor', restart: 'permanent' },
        {
          id: 'web',
          role: 'browsers that watch',
          type: 'dynamic',
          restart: 'permanent',
          intensity: { max: 5, withinMs: 30_000 },
          children: [
            { id: 'console-<n>', role: 'one browser', type: 'actor', restart: 'temporary', shutdownMs: 1_000 },
          ],
        },
        {
          id: 'dashboard',
          role: 'the terminal dashboard, a process of its own',
          type: 'actor',
          restart: 'transient',
          optional: true,
        },
      ],
    },
  ],
} as const satisfies SupervisorNode;
