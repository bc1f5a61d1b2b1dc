/** The part of the npm `phoenix` client that tests use; the package has no types. */
declare module 'phoenix' {
  type Payload = Readonly<Record<string, unknown>>;

  class Push {
    receive(status: 'ok' | 'error' | 'timeout', callback: (response: Payload) => void): Push;
  }

  class Channel {
    readonly state: 'closed' | 'errored' | 'joined' | 'joining' | 'leaving';
    join(timeout?: number): Push;
    leave(timeout?: number): Push;
    push(event: string, payload: unknown, timeout?: number): Push;
    on(event: string, callback: (payload: Payload) => void): number;
    onClose(callback: () => void): void;
    onError(callback: () => void): void;
  }

  class Socket {
    constructor(endPoint: string, options?: Readonly<Record<string, unknown>>);
    connect(): void;
    disconnect(callback?: () => void): void;
    channel(topic: string, params?: unknown): Channel;
    onOpen(callback: () => void): void;
    onClose(callback: (event: { readonly code: number }) => void): void;
    onMessage(callback: (frame: { topic: string; event: string; payload: Payload; ref: string | null }) => void): void;
    isConnected(): boolean;
  }
}
