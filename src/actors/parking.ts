/**
 * Calls that wait for their client to come back with input, by the id that their `requestState` carries. Plain memory;
 * a bridge enters itself when it starts and leaves when it ends. `gateway.input.maxParked` bounds them.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Ref } from '../kernel/index.js';
import { deriveStateKey, ephemeralStateKey, type StateKeys } from '../protocol/modern/request-state.js';
import { type BridgedCallMessage } from './bridged-call.js';

export class Parking {
  readonly calls = new Map<string, Ref<BridgedCallMessage>>();
  /** Names this process in the notes that it hands out. */
  readonly nodeId = randomUUID();
  /** What seals and opens notes. Without a secret they are good for this process alone. */
  readonly keys: StateKeys;
  #made = 0;

  constructor(secret: string | null) {
    this.keys = [secret === null ? ephemeralStateKey(randomBytes) : deriveStateKey(secret)];
  }

  nextId(): number {
    return (this.#made += 1);
  }
}
