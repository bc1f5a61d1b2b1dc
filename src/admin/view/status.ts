/** The gateway in a few facts: header, connections, traffic, process. Pure: snapshot → lines. */
import { CLIENT_TRANSPORTS, type ClientTransport, type GatewaySnapshot } from '../protocol.js';
import { NONE, bytes, clock, count, duration, latency, latencyPair, percent } from './format.js';
import { line, span, type Line, type Tone } from './line.js';
import { PHASE_MARKS, marked } from './marks.js';

export const TRANSPORT_NAMES: Readonly<Record<ClientTransport, string>> = {
  http: 'Streamable HTTP',
  sse: 'HTTP+SSE',
  websocket: 'WebSocket',
};

/** `● running 2h 05m`, and how far a drain is. */
export function phaseLine(snapshot: GatewaySnapshot): Line {
  const up = span(` ${duration(snapshot.takenAt - snapshot.startedAt)}`, 'dim');
  const { drain } = snapshot;
  if (drain === null) return [...marked(PHASE_MARKS[snapshot.phase]), up];
  const left = duration((drain.state === 'lame_duck' ? drain.graceUntil : drain.deadlineAt) - snapshot.takenAt);
  const progress = ` ${drain.connectionsLeft}/${drain.connectionsAtStart} connections, ${drain.inFlight} ${drain.inFlight === 1 ? 'call' : 'calls'} left, ${left}`;
  return [...marked(PHASE_MARKS[snapshot.phase]), span(progress, 'warn')];
}

/** Connections of each transport and in all, as name and figure. */
export function connectionFacts(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  const { connections } = snapshot;
  return [
    ...CLIENT_TRANSPORTS.map(
      (transport) => [TRANSPORT_NAMES[transport], [figure(connections.byTransport[transport])]] as const,
    ),
    ['Total', [span(count(connections.total), 'strong')]],
    ['TCP sockets', [span(count(connections.sockets), 'dim')]],
  ];
}

/** Calls, latencies and the error rate of each transport. */
export function trafficFacts(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  const { requests, throughput } = snapshot;
  return [
    ['In flight', [figure(requests.inFlight)]],
    ['p50 / p99', [span(latencyPair(requests.p50, requests.p99))]],
    ['Answered', [figure(requests.answered)]],
    ['Failed', [figure(requests.failed, 'bad')]],
    ['Messages', [figure(throughput.messagesTotal)]],
    ...errorFacts(snapshot),
  ];
}

export function errorFacts(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  return snapshot.errors.map(({ transport, percent: rate, samples }) => {
    const tone: Tone = rate === null ? 'dim' : rate === 0 ? 'ok' : rate < 5 ? 'warn' : 'bad';
    const of = samples === 0 ? [] : [span(` of ${count(samples)}`, 'dim')];
    return [`Errors ${transport}`, [span(percent(rate), tone), ...of]] as const;
  });
}

export function processFacts(snapshot: GatewaySnapshot): readonly (readonly [string, Line])[] {
  const { process, config, drops } = snapshot;
  const dropped = drops.reduce((sum, drop) => sum + drop.count, 0);
  const reasons = drops.filter((drop) => drop.count > 0).map((drop) => `${drop.reason} ${count(drop.count)}`);
  return [
    ['CPU', [process.cpuPercent === null ? span(NONE, 'dim') : span(percent(process.cpuPercent))]],
    ['Memory', line(bytes(process.rssBytes), span(` (heap ${bytes(process.heapUsedBytes)})`, 'dim'))],
    ['Loop delay p99', [span(latency(process.loopDelayP99))]],
    [
      'Dropped',
      dropped === 0 ? [figure(0)] : line(span(count(dropped), 'warn'), span(` ${reasons.join(', ')}`, 'dim')),
    ],
    ['Configuration', configFact(config)],
  ];
}

function configFact(config: GatewaySnapshot['config']): Line {
  const version = line(config.file ?? 'built in', span(` v${config.version}, ${clock(config.loadedAt)}`, 'dim'));
  return config.rejected === null ? version : [span(`▲ newest refused: ${config.rejected} `, 'warn'), ...version];
}

function figure(value: number, tone: Tone = 'plain'): ReturnType<typeof span> {
  return span(count(value), value === 0 ? 'dim' : tone);
}
