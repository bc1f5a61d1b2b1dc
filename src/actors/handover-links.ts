/** The two ends of a hand-over, as the data path sees them. */
import { type Socket } from 'node:net';
import { type SessionState } from '../handover/messages.js';

/** To the successor. */
export interface HandoverLink {
  /** The session is the successor's from now on. */
  session(state: SessionState): void;
  /** The connection is; it must be between two requests. */
  socket(socket: Socket): void;
}

/** To the predecessor. */
export interface PredecessorLink {
  /** Whether sessions may still be there. */
  readonly open: boolean;
  /** A client came with this session; `then` is called once, when it is here or known to be nowhere. */
  claim(id: string, then: (claim: 'come' | 'unknown' | 'overloaded') => void): void;
  /** What a client says without being answered, for a session that may be busy there. */
  said(id: string, key: string, text: string): void;
}
