/**
 * The port from a cell to the actor system that it lives in.
 */
import { type ActorSystemRef } from 'nact';
import { type Clock } from './clock.js';

/** What a cell needs of its system. */
export interface CellHost {
  readonly nact: ActorSystemRef;
  readonly clock: Clock;
  /** A name that no actor of this nact system has had. */
  nactName(): string;
  /** A message that will never be handled: sent to an exited cell, refused by a full lane, or left when it exited. */
  dropped(path: string, reason: 'dead_letter' | 'mailbox_full', count: number): void;
  /** An error after the actor's fate was sealed. */
  lateError(path: string, error: Error): void;
}
