/** Every scenario, in the order in which they run. */
import { actors, consoles, descriptors, mass, terms } from './faults-gateway.js';
import { crowd, sick, slowReaders } from './faults-clients.js';
import { garbage, kills, network, stops } from './faults-upstream.js';
import { type Scenario } from './scenario.js';

export const SCENARIOS: readonly Scenario[] = [
  kills('stdio'),
  kills('http'),
  kills('sse'),
  kills('ws'),
  stops,
  network('http'),
  network('sse'),
  network('ws'),
  garbage('stdio'),
  garbage('ws'),
  actors,
  terms,
  consoles,
  descriptors,
  slowReaders,
  crowd,
  sick,
  mass,
];
