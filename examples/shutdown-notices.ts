/** What clients hear when the gateway drains, each on its own transport. */
import { once } from 'node:events';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { say, startGateway } from './start.js';

interface ShutdownPending {
  readonly type: string;
  readonly message: string;
  /** Milliseconds to wait before connecting again: a different number for each client. */
  readonly reconnect_after: number;
  readonly remaining: number;
}

const gateway = await startGateway();

// WebSocket clients.
const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`, 'mcp');
await once(socket, 'open');
const told = new Promise<void>((resolve) => {
  socket.on('message', (data: Buffer) => {
    const event = JSON.parse(data.toString('utf8')) as ShutdownPending;
    if (event.type !== 'shutdown_pending') return;
    say(`WebSocket: reconnect after ${event.reconnect_after > 0 ? 'some' : 'no'} milliseconds`);
    resolve();
  });
});
const closed = once(socket, 'close');

// SSE clients.
const eventSource = new EventSource(`${gateway.url}/sse`);
await new Promise((resolve) => eventSource.addEventListener('endpoint', resolve));
const toldToo = new Promise<void>((resolve) => {
  eventSource.addEventListener('shutdown_pending', (event) => {
    const data = JSON.parse(String(event.data)) as ShutdownPending;
    say(`SSE: ${data.message}`);
    eventSource.close();
    resolve();
  });
});

const stopped = gateway.gracefulShutdown();
await Promise.all([told, toldToo]);
const [code] = (await closed) as [number];
say(`WebSocket: closed with ${code}`);
say(`gateway: ${await stopped}`);
