/** How clients show who they are: over Phoenix Channels, and over SSE with a header or in the address. */
import { EventSource } from 'eventsource';
import { Socket } from 'phoenix';
import { JwtAuthenticator } from 'viable-gateway';
import WebSocket from 'ws';
import { say, startGateway } from './start.js';

const secret = process.env['JWT_SECRET'];
if (secret === undefined) throw new Error('set JWT_SECRET');
// With JWT_SECRET set, or with these settings, nobody comes in without a token.
const gateway = await startGateway({ auth: { mode: 'required', secrets: [{ kid: 'current', secret }] } });
const authenticator = new JwtAuthenticator({ secrets: [{ kid: 'current', secret }] });
const token = await authenticator.generateToken('user123', { role: 'premium' });

// WebSocket, with the npm client of Phoenix. In a browser `transport` is left out.
const endpoint = `${gateway.url.replace('http', 'ws')}/ws`;
async function join(params: object): Promise<void> {
  const socket = new Socket(endpoint, { params, transport: WebSocket });
  socket.connect();
  await new Promise<void>((resolve) => {
    socket
      .channel('mcp:gateway', {})
      .join()
      .receive('ok', ({ user_id, role }) => {
        say(`joined as: ${String(user_id)} ${String(role)}`);
        resolve();
      })
      .receive('error', ({ reason }) => {
        say(`auth failed: ${String(reason)}`);
        resolve();
      });
  });
  await new Promise<void>((resolve) => {
    socket.disconnect(resolve);
  });
}
await join({ token });
await join({});

// SSE, via the Authorization header. An EventSource of the browser cannot send headers: the package `eventsource` can.
async function open(how: string, eventSource: EventSource): Promise<void> {
  const outcome = await new Promise<string>((resolve) => {
    eventSource.addEventListener('endpoint', () => resolve('open'));
    eventSource.addEventListener('error', ({ code }) => resolve(`refused with ${code}`));
  });
  say(`SSE ${how}: ${outcome}`);
  eventSource.close();
}
const withHeader: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set('Authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers });
};
await open('with a header', new EventSource(`${gateway.url}/sse`, { fetch: withHeader }));

// Via the query, for clients that cannot send headers.
await open('with a query', new EventSource(`${gateway.url}/sse?token=${token}`));
await open('without a token', new EventSource(`${gateway.url}/sse`));

await gateway.stop();
