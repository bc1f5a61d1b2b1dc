/** What the examples have in common: a gateway on `PORT` (default 4000; 0: any) in front of one small server, `hello`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type AddressInfo } from 'node:net';
import { createLog, Gateway, loadConfig, renderProblems } from 'viable-gateway';

/** Starts a gateway with this `gateway` block, and resolves when its server takes calls. */
export async function startGateway(settings: object = {}): Promise<Gateway> {
  const server = await startServer();
  const loaded = await loadConfig({
    document: { mcpServers: { hello: { url: server.url } }, gateway: settings },
    // With JWT_SECRET in the environment of this process, clients of the gateway must log in.
    env: process.env,
    overrides: { port: Number(process.env['PORT'] ?? 4000) },
  });
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems, null));
  const gateway = new Gateway({ config: loaded.config, log: createLog('error', false) });
  gateway.on('ended', () => server.close());
  const ready = new Promise((resolve) => gateway.on('upstream/up', resolve));
  await gateway.start();
  await ready;
  return gateway;
}

/** A call of the server's tool `echo`, as clients of the gateway name it. */
export function echo(message: string) {
  const params = { name: 'hello__echo', arguments: { message } };
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params } as const;
}

/** Examples talk to people. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly arguments?: { readonly message?: string } };
}

/** An MCP server with one tool. */
async function startServer() {
  const inputSchema = { type: 'object', properties: { message: { type: 'string' } } };
  const answers: Readonly<Record<string, (message: Message) => object>> = {
    initialize: () => ({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'hello', version: '1.0.0' },
    }),
    'tools/list': () => ({ tools: [{ name: 'echo', inputSchema }] }),
    'tools/call': ({ params }) => ({ content: [{ type: 'text', text: `Echo: ${params?.arguments?.message ?? ''}` }] }),
  };
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const message = JSON.parse(body === '' ? '{}' : body) as Message;
      if (message.id === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
      const result = answers[message.method ?? '']?.(message);
      const answer = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
      res.writeHead(200, { 'content-type': 'application/json' });
      return res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...answer }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
