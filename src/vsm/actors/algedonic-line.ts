/**
 * The line into the algedonic channel: takes readings from anywhere, synchronously, and wakes the channel on its urgent
 * lane. When nobody is at the other end, pain goes the way of last resort.
 */
import { type ActorName, type ActorSystem, type Ref } from '../../kernel/index.js';
import { type Achievement, type AlgedonicPort, type PleasurePort, type Reading, severity } from '../reading.js';
import { type ViabilityState } from '../view.js';
import { type AlgedonicMessage } from './messages.js';

export class AlgedonicLine implements AlgedonicPort, PleasurePort {
  readonly #system: ActorSystem;
  readonly #channel: ActorName<AlgedonicMessage>;
  readonly #state: ViabilityState;
  /** The incarnation that knows that readings wait; `null` when the box is empty or nobody was told. */
  #told: Ref<AlgedonicMessage> | null = null;

  constructor(system: ActorSystem, channel: ActorName<AlgedonicMessage>, state: ViabilityState) {
    this.#system = system;
    this.#channel = channel;
    this.#state = state;
  }

  report(reading: Reading): void {
    this.#state.readings.put(reading);
    if (!this.#wake() && severity(reading) !== null) {
      this.#state.lastResort.tell(reading.source, reading.index, reading.message);
    }
  }

  achieve(achievement: Achievement): void {
    this.#state.readings.putAchievement(achievement);
    this.#wake();
  }

  /** The channel empties the box now. */
  emptied(): void {
    this.#told = null;
  }

  /** `false` when nobody is there. A full lane is no reason to worry: the channel looks into the box at each tick. */
  #wake(): boolean {
    const channel = this.#system.whereis(this.#channel);
    if (!channel) return false;
    if (this.#told === channel) return true;
    if (channel.urgent({ type: 'algedonic/readings' }) === 'ok') this.#told = channel;
    return true;
  }
}
