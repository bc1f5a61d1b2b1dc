/** The end of a WebSocket that this side closes. Plain function. */
import { type WebSocket } from 'ws';
import { type DataPlane } from './data-plane.js';

/** Counts it until its client has confirmed the close: then everything that it was sent has arrived. */
export function bidFarewell(plane: DataPlane, socket: WebSocket): void {
  if (socket.readyState === socket.CLOSED) return;
  plane.farewells += 1;
  socket.once('close', () => (plane.farewells -= 1));
}
