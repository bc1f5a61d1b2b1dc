/** The registered names of the tree's singletons. The tree itself is in `src/supervisors/tree.ts`; a test compares. */
import { actorName } from '../kernel/index.js';
import { type AuthenticatorMessage } from './authenticator.js';
import { type ClientTransport } from '../admin/protocol.js';
import { type BreakerMessage } from './breaker.js';
import { type CatalogueMessage } from './catalogue.js';
import { type ConfigurationMessage } from './configuration.js';
import { type DrainMessage } from './drain/messages.js';
import { type HandoverMessage } from './handover.js';
import { type ListenerMessage } from './listener.js';
import { type PinKeeperMessage } from './pin-keeper.js';
import { type PoolMessage } from './pool-messages.js';
import { type RegistryMessage } from './session-registry.js';
import { type TelemetryMessage } from './telemetry.js';
import { type UpstreamMessage } from './upstream.js';
import {
  type AlgedonicMessage,
  type AuditMessage,
  type ControlMessage,
  type IntelligenceMessage,
  type PolicyMessage,
} from '../vsm/actors/messages.js';

export const CATALOGUE = actorName<CatalogueMessage>('/operations/catalogue');
export const PINS = actorName<PinKeeperMessage>('/operations/tool-pins');
export const UPSTREAMS = '/operations/provisioning/upstreams';
export const CONFIGURATION = actorName<ConfigurationMessage>('/operations/provisioning/configuration');
export const AUTHENTICATOR = actorName<AuthenticatorMessage>('/admission/authenticator');
export const REGISTRY = actorName<RegistryMessage>('/front/session-registry');
export const CONNECTIONS = '/front/connections';
export const WEB_CONSOLES = '/consoles/web';
export const POLICY = actorName<PolicyMessage>('/viability/policy');
export const ALGEDONIC = actorName<AlgedonicMessage>('/viability/algedonic');
export const CONTROL = actorName<ControlMessage>('/viability/control');
export const AUDIT = actorName<AuditMessage>('/viability/audit');
export const INTELLIGENCE = actorName<IntelligenceMessage>('/viability/intelligence');
/** S1: one actor for each upstream and client transport. */
export const UNITS = '/operations/units';
export const TELEMETRY = actorName<TelemetryMessage>('/vitals/telemetry');
export const DRAIN = actorName<DrainMessage>('/drain/gateway');
export const HANDOVER = actorName<HandoverMessage>('/drain/handover');
export const PARTIAL_DRAINS = '/drain/partial';

export function upstreamId(name: string): string {
  // A name may hold anything that a JSON key can; a path segment may not hold a slash.
  return `upstream:${name.replaceAll('%', '%25').replaceAll('/', '%2F')}`;
}

export function upstreamLifecycle(name: string): ReturnType<typeof actorName<UpstreamMessage>> {
  return actorName<UpstreamMessage>(`${UPSTREAMS}/${upstreamId(name)}/lifecycle`);
}

export function upstreamBreaker(name: string): ReturnType<typeof actorName<BreakerMessage>> {
  return actorName<BreakerMessage>(`${UPSTREAMS}/${upstreamId(name)}/breaker`);
}

export function transportBreaker(transport: ClientTransport): ReturnType<typeof actorName<BreakerMessage>> {
  return actorName<BreakerMessage>(`/front/breakers/${transport}`);
}

export function upstreamPool(name: string): ReturnType<typeof actorName<PoolMessage>> {
  return actorName<PoolMessage>(`${UPSTREAMS}/${upstreamId(name)}/pool`);
}

export function upstreamSessions(name: string): string {
  return `${UPSTREAMS}/${upstreamId(name)}/sessions`;
}

export function listenerName(id: string): ReturnType<typeof actorName<ListenerMessage>> {
  return actorName<ListenerMessage>(`/front/listeners/${id}`);
}
