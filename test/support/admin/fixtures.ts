/**
 * A realistic snapshot at a fixed instant: upstreams in every state, a tree of some forty nodes, and hostile text (ANSI,
 * OSC, bidi, zero-width, CJK, emoji, blessed tags) wherever text comes from outside.
 */
import {
  type AdminActor,
  type BreakerSnapshot,
  CLIENT_TRANSPORTS,
  type ConnectionSnapshot,
  type DrainSnapshot,
  type GatewaySnapshot,
  type LogLine,
  type SupervisionNode,
  type UpstreamSnapshot,
} from '#src/admin/protocol.js';
import type { PoolSnapshot } from '#src/admin/snapshot/pool.js';
import { FAKE_POLICY } from './policy-fixtures.js';
import { fakeAlarms, fakeVsm } from './vsm-fixtures.js';
import { FAKE_NOW, HOSTILE } from './instant.js';

export { FAKE_NOW, HOSTILE };

const MINUTE = 60_000;

function upstream(name: string, over: Partial<UpstreamSnapshot>): UpstreamSnapshot {
  return {
    name,
    transport: 'stdio',
    target: `npx -y @modelcontextprotocol/server-${name}`,
    state: 'ready',
    since: FAKE_NOW - 47 * MINUTE,
    breaker: 'closed',
    protocolVersion: '2025-11-25',
    serverInfo: { name: `mcp-${name}`, version: '1.4.0' },
    pid: 4_200 + name.length,
    tools: 12,
    prompts: 2,
    resources: 7,
    resourceTemplates: 1,
    inFlight: 0,
    calls: 0,
    failures: 0,
    reconnects: 0,
    retryAt: null,
    lastError: null,
    junkBytes: 0,
    concurrency: { limit: 180, max: 256, gradient: 0.92, refused: 3 },
    retries: { sent: 2, refused: 1, budget: 9 },
    pool: fakePool(),
    ...over,
  };
}

export function fakePool(over: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    size: 4,
    maxOverflow: 6,
    available: 1,
    vacant: 2,
    inUse: 1,
    overflow: 0,
    waiting: 0,
    limit: null,
    utilisation: 0.1,
    checkouts: 31,
    timeouts: 0,
    refused: 0,
    lost: 0,
    waitP99: 12,
    ...over,
  };
}

export function fakeUpstreams(now = FAKE_NOW): readonly UpstreamSnapshot[] {
  const down = {
    protocolVersion: null,
    serverInfo: null,
    pid: null,
    tools: 0,
    prompts: 0,
    resources: 0,
    resourceTemplates: 0,
  };
  return [
    upstream('everything', { tools: 11, prompts: 4, resources: 100, inFlight: 3, calls: 18_403, failures: 12 }),
    upstream('memory', { tools: 9, calls: 2_210, inFlight: 1 }),
    upstream('filesystem', {
      tools: 14,
      calls: 941,
      failures: 2,
      lastError: { at: now - 4 * MINUTE, message: 'EACCES: permission denied, open /etc/shadow' },
    }),
    upstream('天気予報サービス', {
      transport: 'http',
      target: 'https://weather.example.jp/mcp',
      pid: null,
      tools: 5,
      calls: 377,
      serverInfo: { name: '天気サーバー', version: '2.0' },
    }),
    upstream('rocket-🚀-launch', {
      transport: 'ws',
      target: 'wss://launch.example/mcp',
      pid: null,
      tools: 3,
      calls: 52,
      state: 'initializing',
      breaker: 'half_open',
      reconnects: 4,
    }),
    upstream('tickets', {
      ...down,
      transport: 'sse',
      target: 'https://tickets.example/sse',
      state: 'backoff',
      breaker: 'open',
      since: now - 92_000,
      retryAt: now + 8_000,
      calls: 610,
      failures: 48,
      reconnects: 9,
      lastError: { at: now - 22_000, message: `connect ECONNREFUSED 203.0.113.9:443 ${HOSTILE}` },
    }),
    upstream('search', {
      ...down,
      transport: 'http',
      target: 'https://search.example/mcp',
      state: 'connecting',
      breaker: 'open',
      since: now - 1_200,
    }),
    upstream('legacy', { ...down, state: 'disabled', breaker: 'open' }),
  ];
}

function breaker(name: string, over: Partial<BreakerSnapshot>): BreakerSnapshot {
  return {
    name,
    kind: 'upstream',
    actor: `/operations/upstreams/upstream:${name}/breaker`,
    state: 'closed',
    since: FAKE_NOW - 47 * MINUTE,
    cause: null,
    forced: false,
    probing: false,
    nextProbeAt: null,
    consecutiveFailures: 0,
    samples: 0,
    failures: 0,
    failureRatio: null,
    opens: 0,
    refused: 0,
    flapPenalty: 0,
    suppressed: false,
    history: [],
    ...over,
  };
}

/** One in each state, and those of the transports. */
export function fakeBreakers(now = FAKE_NOW): readonly BreakerSnapshot[] {
  return [
    ...['everything', 'filesystem', '天気予報サービス', 'search', 'legacy'].map((name) => breaker(name, {})),
    breaker('memory', { samples: 310, failures: 3, failureRatio: 3 / 310 }),
    breaker('tickets', {
      state: 'open',
      since: now - 12_000,
      cause: 'failures',
      nextProbeAt: now + 8_000,
      consecutiveFailures: 5,
      samples: 40,
      failures: 31,
      failureRatio: 31 / 40,
      opens: 4,
      refused: 118,
      flapPenalty: 3.4,
      suppressed: true,
      history: [
        { at: now - 90_000, state: 'open' },
        { at: now - 80_000, state: 'half_open' },
        { at: now - 79_000, state: 'closed' },
        { at: now - 12_000, state: 'open' },
      ],
    }),
    breaker('rocket-🚀-launch', {
      state: 'half_open',
      since: now - 400,
      cause: 'unreachable',
      probing: true,
      opens: 1,
    }),
    ...CLIENT_TRANSPORTS.map((transport) =>
      breaker(`transport:${transport}`, { kind: 'transport', actor: `/front/breakers/${transport}` }),
    ),
  ];
}

function node(parent: string, id: string, over: Partial<SupervisionNode> = {}): SupervisionNode {
  const children = over.children ?? [];
  return {
    path: parent === '' ? '/' : `${parent === '/' ? '' : parent}/${id}`,
    id,
    kind: over.strategy === undefined ? 'actor' : 'supervisor',
    restart: 'permanent',
    state: 'running',
    incarnation: 1,
    restarts: 0,
    mailbox: { urgent: 0, normal: 0 },
    handled: 40 + id.length * 97,
    startedAt: FAKE_NOW - 125 * MINUTE,
    lastFault: null,
    childCount: children.length,
    ...over,
    children,
  };
}

function upstreamBranch(name: string, session: Partial<SupervisionNode> = {}): SupervisionNode {
  const path = `/operations/upstreams/upstream:${name}`;
  return node('/operations/upstreams', `upstream:${name}`, {
    strategy: 'rest_for_one',
    children: [node(path, 'breaker'), node(path, 'session', { handled: 18_403, ...session })],
  });
}

export function fakeTree(now = FAKE_NOW): SupervisionNode {
  const fault = { at: now - 22_000, message: `ECONNREFUSED 203.0.113.9:443 ${HOSTILE}` };
  const connections = Array.from({ length: 6 }, (_, index) =>
    node('/front/connections/partition:0', `connection:${1_000 + index}`, {
      restart: 'temporary',
      handled: 311 * (index + 1),
    }),
  );
  const branches = [
    node('/', 'vitals', {
      strategy: 'one_for_one',
      children: ['metrics', 'audit', 'alarms'].map((id) => node('/vitals', id)),
    }),
    node('/', 'viability', {
      strategy: 'one_for_one',
      children: ['policy', 'algedonic', 'coordinator'].map((id) => node('/viability', id)),
    }),
    node('/', 'operations', {
      strategy: 'one_for_one',
      children: [
        node('/operations', 'catalogue', { handled: 640, mailbox: { urgent: 2, normal: 14 } }),
        node('/operations', 'upstreams', {
          strategy: 'dynamic',
          children: [
            upstreamBranch('everything'),
            upstreamBranch('memory'),
            upstreamBranch('filesystem', { mailbox: { urgent: 0, normal: 3 } }),
            upstreamBranch('天気予報サービス'),
            upstreamBranch('tickets', {
              state: 'restarting',
              restarts: 9,
              incarnation: 10,
              startedAt: now - 22_000,
              lastFault: fault,
            }),
            upstreamBranch('search', { state: 'starting', startedAt: now - 1_200 }),
          ],
        }),
      ],
    }),
    node('/', 'admission', {
      strategy: 'one_for_one',
      children: [node('/admission', 'authenticator'), node('/admission', 'limiter')],
    }),
    node('/', 'front', {
      strategy: 'rest_for_one',
      children: [
        node('/front', 'registry', { handled: 88_120 }),
        node('/front', 'connections', {
          strategy: 'partitioned',
          children: [
            node('/front/connections', 'partition:0', { strategy: 'dynamic', children: connections, childCount: 21 }),
          ],
        }),
        node('/front', 'listener:http', {
          restarts: 1,
          incarnation: 2,
          lastFault: { at: now - 31 * MINUTE, message: 'EMFILE: too many open files' },
        }),
      ],
    }),
    node('/', 'drain', { strategy: 'one_for_one', children: [node('/drain', 'gateway')] }),
    node('/', 'consoles', {
      strategy: 'one_for_one',
      children: [node('/consoles', 'admin'), node('/consoles', 'terminal', { restart: 'transient', state: 'stopped' })],
    }),
  ];
  return node('', 'root', { strategy: 'one_for_one', children: branches });
}

export function fakeConnections(now = FAKE_NOW): readonly ConnectionSnapshot[] {
  const clients = [
    'claude-desktop/1.9.0',
    'cursor/3.2',
    'Visual Studio Code/1.121',
    '東京クライアント/1.0',
    `evil${HOSTILE}/0.1`,
    null,
  ];
  return Array.from({ length: 21 }, (_, index) => ({
    actor: `/front/connections/partition:0/connection:${1_000 + index}`,
    transport: index % 7 === 6 ? 'sse' : index % 3 === 2 ? 'websocket' : 'http',
    sessionId: `5f1c9a${index.toString(16).padStart(2, '0')}`,
    principal: index % 4 === 0 ? `user-${index}` : null,
    role: index % 4 === 0 ? 'user' : null,
    remote: `127.0.0.1:${50_000 + index * 3}`,
    client: clients[index % clients.length] ?? null,
    protocolVersion: index % 6 === 5 ? '2024-11-05' : '2025-11-25',
    route: index % 5 === 4 ? '/mcp/s/memory' : '/mcp',
    openedAt: now - (index + 1) * 3 * MINUTE,
    lastSeenAt: now - index * 1_700,
    messagesIn: 40 * index + 3,
    messagesOut: 55 * index + 4,
    bytesIn: 9_100 * index + 512,
    bytesOut: 48_000 * index + 2_048,
    unread: index % 9 === 8 ? 131_072 : 0,
    inFlight: index % 5 === 0 ? 1 : 0,
    streaming: index % 3 !== 0,
  }));
}

export function fakeSnapshot(over: Partial<GatewaySnapshot> = {}): GatewaySnapshot {
  return {
    name: 'viable',
    version: '0.1.0',
    node: 'viable@harbour',
    pid: 4_711,
    url: 'http://127.0.0.1:4000/mcp',
    takenAt: FAKE_NOW,
    startedAt: FAKE_NOW - 125 * MINUTE,
    phase: 'running',
    drain: null,
    drains: [],
    handover: null,
    audit: null,
    auth: {
      mode: 'required',
      tokens: { cached: 210, hits: 58_200, misses: 1_800, hitRatio: 0.97, accepted: 1_790, revoked: 1 },
      refused: [{ reason: 'expired', count: 10 }],
      limited: [{ limit: 'role:user', count: 42 }],
      limitKeys: 212,
      tickets: { issued: 4, open: 1 },
      issuers: [],
    },
    telemetry: {
      tracing: true,
      samplingRate: 0.01,
      spans: { started: 812, exported: 700, dropped: 3, failed: 9, queued: 100 },
      trouble: null,
    },
    rules: FAKE_POLICY,
    pinning: { mode: 'first-sight', pinned: 71, quarantined: 2, fault: null },
    connections: { total: 21, byTransport: { http: 12, sse: 3, websocket: 6 }, sockets: 25 },
    throughput: {
      perSecond: Array.from({ length: 60 }, (_, second) =>
        Math.round(420 + 180 * Math.sin(second / 6) + 60 * Math.sin(second * 1.7)),
      ),
      messagesTotal: 1_204_337,
    },
    errors: [
      { transport: 'http', percent: 0.42, samples: 18_240 },
      { transport: 'sse', percent: null, samples: 0 },
      { transport: 'websocket', percent: 6.3, samples: 1_204 },
    ],
    requests: { inFlight: 4, answered: 601_871, failed: 62, p50: 3.4, p99: 41.7 },
    drops: [
      { reason: 'dead_letter', count: 2 },
      { reason: 'mailbox_full', count: 0 },
    ],
    upstreams: fakeUpstreams(),
    breakers: fakeBreakers(),
    alarms: fakeAlarms(),
    vsm: fakeVsm(),
    tree: fakeTree(),
    process: { rssBytes: 118 * 1_048_576, heapUsedBytes: 41 * 1_048_576, cpuPercent: 12.4, loopDelayP99: 1.9 },
    config: { file: 'viable.json', loadedAt: FAKE_NOW - 20 * MINUTE, version: 3, rejected: null },
    ...over,
  };
}

export function fakeDrain(over: Partial<DrainSnapshot> = {}): DrainSnapshot {
  return {
    id: 'gateway',
    target: { kind: 'gateway' },
    state: 'draining',
    outcome: null,
    reason: 'SIGTERM',
    startedAt: FAKE_NOW - 18_000,
    graceUntil: FAKE_NOW - 18_000,
    deadlineAt: FAKE_NOW + 12_000,
    endedAt: null,
    connectionsAtStart: 21,
    connectionsLeft: 5,
    inFlight: 2,
    stalled: false,
    ...over,
  };
}

export const FAKE_ACTORS: readonly AdminActor[] = [
  {
    path: '/operations/upstreams/upstream:memory',
    messages: [
      { name: 'reconnect', description: 'drop the session and connect again' },
      { name: 'disable', description: 'stay disconnected until enabled' },
    ],
  },
  {
    path: '/admission/limiter',
    messages: [
      {
        name: 'set-rate',
        description: 'requests a minute of a role',
        args: {
          type: 'object',
          properties: { role: { type: 'string' }, perMinute: { type: 'integer' }, burst: { type: 'integer' } },
          required: ['role', 'perMinute'],
        },
      },
    ],
  },
];

export function fakeLog(index: number, now = FAKE_NOW): LogLine {
  const lines: readonly Omit<LogLine, 'at'>[] = [
    {
      level: 'info',
      event: 'client.connected',
      message: 'client connected',
      fields: { transport: 'http', client: 'cursor/3.2' },
    },
    {
      level: 'debug',
      event: 'catalogue.published',
      message: 'catalogue published',
      fields: { tools: 54, version: 18 },
    },
    {
      level: 'warn',
      event: 'upstream.retry',
      message: 'tickets does not answer, next attempt in 8 s',
      fields: { upstream: 'tickets', attempt: 9 },
    },
    { level: 'info', event: 'upstream.ready', message: '天気予報サービス is ready 🚀', fields: { tools: 5 } },
    { level: 'error', event: 'upstream.stderr', message: `tickets: ${HOSTILE} boom`, fields: { line: HOSTILE } },
  ];
  const chosen = lines[index % lines.length];
  if (chosen === undefined) throw new Error('no log line');
  return { at: now - 100_000 + index * 1_000, ...chosen };
}
