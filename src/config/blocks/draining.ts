/** `gateway.draining`: how the gateway, or a part of it, is taken out of service. */
import { z } from 'zod';
import { block, count, LIVE, time } from './parts.js';

export const draining = block(LIVE, 'What SIGTERM, `viable drain` and `viable upgrade` do.', {
  enabled: z
    .boolean()
    .default(true)
    .describe('Let work in flight finish and tell clients. Off: connections are cut at once.'),
  defaultTimeout: time('The longest wait for work in flight.', 0).default(30_000),
  notificationInterval: time('Clients are told the remaining time this often.', 100).default(5000),
  quietPeriod: time(
    'At the end of that wait new requests are refused for this long, so that those which run can still finish; a quarter of the wait at most. Also of drains of a session, a principal or a listener.',
    0,
  ).default(5000),
  lameDuck: time(
    'Before that, `/readyz` answers 503 for this long while everything is still accepted: the time a load balancer needs to notice.',
    0,
  ).default(0),
  closeRate: count(
    'Clients a second that are closed while they wait for nothing; more when they would not be gone in time.',
  ).default(500),
  reconnectRate: count(
    'Clients a second that whoever takes over can accept: `reconnect_after` spreads them accordingly.',
  ).default(500),
});
