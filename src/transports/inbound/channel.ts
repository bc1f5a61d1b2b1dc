/**
 * The port to a client, as a session sees it: where the answers to its requests go.
 *
 * A channel is made for what came in together (an HTTP body) or for a whole connection (WebSocket, SSE). What is written
 * to one channel arrives in that order.
 */
export interface Channel {
  /**
   * Gives the answer of one request, at most once each. `status` is the HTTP status of an answer that is the whole
   * response, `scopes` what its client would need; transports without statuses leave both out. `false` when the client
   * is gone.
   */
  answer(text: string, status?: number, scopes?: readonly string[]): boolean;
  /** Sends a notification that belongs to a request of this channel, before its answer. `false` when the client is gone. */
  notify(text: string): boolean;
  /** One request of this channel gets no answer: it was cancelled. */
  release(): void;
  /** A request has waited for long: shows proxies and the client that somebody lives. */
  stillWorking(): void;
}
