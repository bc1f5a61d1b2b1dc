/**
 * What the data path reads: plain memory, replaced by assignment, never asked for (docs/adr/0003).
 *
 * The control plane writes it (each field names its writer); a listener, a connection or a session reads whatever is
 * there. If every control-plane actor is dead, it still is.
 */
import { type RequestTransport } from '../admin/protocol.js';
import { type AuditPort, NO_AUDIT } from '../audit/event.js';
import { type Server } from 'node:net';
import { AuthPlane } from '../auth/auth-plane.js';
import { type GatewayOptions } from '../config/types.js';
import { type LogLevel } from '../protocol/methods.js';
import { redact } from '../protocol/redact.js';
import { RoutingTable } from '../routing/routing-table.js';
import { compileScopeRules } from '../routing/scopes.js';
import { Policy } from '../policy/policy.js';
import { type Counters } from '../telemetry/counters.js';
import { type RequestTracer } from '../telemetry/tracing/call-trace.js';
import { type Clock, type Ref, SystemClock } from '../kernel/index.js';
import { Announcements } from './announcements.js';
import { BreakerGate } from './breaker-gate.js';
import { type ClientMessage, type CredentialDue } from './client-message.js';
import { type HandoverLink, type PredecessorLink } from './handover-links.js';
import { LogLevels } from './log-levels.js';
import { Parking } from './parking.js';
import { SharedReads } from './shared-reads.js';
import { SessionDirectory } from './session-directory.js';
import { Intake } from '../transports/inbound/intake.js';
import { Outflow } from '../transports/inbound/outflow.js';
import { type UpstreamGate } from './upstream-gate.js';
import { LastResort } from '../vsm/last-resort.js';
import { type AlgedonicPort, type PleasurePort } from '../vsm/reading.js';
import { ViabilityState } from '../vsm/view.js';

/** What newcomers are told. `draining` holds when the drain is over, for `Retry-After`. */
export type Admission =
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  /** Takes newcomers, and tells those who send them that it is not ready. */
  | { readonly state: 'lame_duck' }
  /** A successor serves at this address: what still comes here is served until it has gone over. */
  | { readonly state: 'handing_over' }
  | { readonly state: 'draining'; readonly deadlineAt: number };

export class DataPlane {
  /** Written by the catalogue. */
  routing: RoutingTable<UpstreamGate>;
  /** One for each configured upstream. Written by the configuration actor. */
  readonly gates = new Map<string, UpstreamGate>();
  /** Live sessions by id. Written by the sessions themselves. */
  readonly sessions: SessionDirectory;
  /** Modern clients with a stream of changes open. Written by themselves. */
  readonly listeners = new Set<Ref<ClientMessage>>();
  /** Browsers that watch. Written by themselves. */
  readonly consoles = new Set<Ref<CredentialDue>>();
  /** Levels of log messages that clients have asked for. Written by themselves. */
  readonly logLevels = new LogLevels();
  /** What upstreams were told of them last; `null`: no client asks for a level. Written by the registry. */
  logLevel: LogLevel | null = null;
  /** Calls that wait for input. Written by their bridges. */
  readonly parking: Parking;
  /** Written by the configuration actor. */
  options: GatewayOptions;
  /** Who may what. Written by the configuration actor. */
  policy: Policy;
  /** Written by the drain actor. */
  admission: Admission = { state: 'starting' };
  /** The drain's last moments are for what runs: new requests are refused, until then. Written by the gateway's drain. */
  quietUntil: number | null = null;
  /** WebSockets that were closed and whose clients have not confirmed it. Written by their connections. */
  farewells = 0;
  /** Listening sockets by their actor's id. `open`, whether it is to listen, is written by drains; `server` by the listener. */
  readonly doors = new Map<string, { open: boolean; server: Server | null }>();
  /** Where connections and sessions go while a successor takes over. Written by the hand-over actor. */
  handover: HandoverLink | null = null;
  /** Sessions that have gone to the successor. Written with `handover`. */
  readonly moved = new Set<string>();
  /** Who may still have sessions that clients of this process come with. Set when the gateway is put together. */
  predecessor: PredecessorLink | null = null;
  /** Subjects whose sessions are being ended, and until when. Written by drains. */
  readonly drainedSubjects = new Map<string, number>();
  readonly counters: Counters;
  /** Reads that others can join. Written by the client sessions. */
  readonly reads: SharedReads;
  /** Bounds what clients send, and how much of it is read at once. */
  readonly intake = new Intake(() => this.options.listen.maxBodyBytes);
  /** Bounds what clients leave unread. */
  readonly outflow: Outflow;
  /** Breakers of the transports. Nobody opens that of `in-process`: there is no connection that could fail. */
  readonly breakers: Readonly<Record<RequestTransport, BreakerGate>> = {
    http: new BreakerGate(),
    sse: new BreakerGate(),
    websocket: new BreakerGate(),
    'in-process': new BreakerGate(),
  };
  /** `null`: nothing is traced. Written by the telemetry actor. */
  tracing: RequestTracer | null = null;
  /** Live dashboards are fed. Written by the feature switches. */
  dashboards = true;
  /** Text without the credentials that it may quote. Set when the gateway is put together. */
  redact: (text: string) => string = redact;
  /** Pain and its end, from whoever measures it. Set when the gateway is put together. */
  algedonic: AlgedonicPort = { report: () => undefined };
  /** What goes better than it was thought able to. Set when the gateway is put together. */
  pleasure: PleasurePort = { achieve: () => undefined };
  /** What the viable system says of admission, leases and pace. Its own actors write it. */
  readonly viability: ViabilityState;
  /** Who did what, from whoever sees it. Set when the gateway is put together. */
  audit: AuditPort = NO_AUDIT;

  /** Who somebody is, and how often they may ask. */
  readonly auth: AuthPlane;
  /** Events for the program that the gateway runs in. */
  readonly announcements = new Announcements();

  constructor(options: GatewayOptions, counters: Counters, viability = unheard(), clock: Clock = new SystemClock()) {
    this.auth = new AuthPlane(options, clock);
    this.parking = new Parking(options.requestState.secret);
    this.options = options;
    this.policy = new Policy(options.policy, 1);
    this.counters = counters;
    this.outflow = new Outflow(
      () => this.options.listen,
      () => counters.drop('slow_reader'),
    );
    this.viability = viability;
    this.reads = new SharedReads(() => viability.coordination.noteCoalesced());
    this.routing = new RoutingTable(0, [], options.catalogue.pageSize, compileScopeRules(options));
    this.sessions = new SessionDirectory(this.announcements);
  }
}

/** Where nothing is wired, nobody hears. */
function unheard(): ViabilityState {
  return new ViabilityState(
    0,
    new LastResort(
      () => undefined,
      () => 0,
    ),
  );
}
