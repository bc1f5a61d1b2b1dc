/**
 * Connections in a hand-over, plain and over TLS: clients that keep their connection and follow no redirect see no failure,
 * and the official clients follow where a session has gone before its connection.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { generate } from 'selfsigned';
import {
  Agent,
  fetch as undiciFetch,
  request,
  type RequestInit as UndiciInit,
  Response as UndiciResponse,
} from 'undici';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { FixtureHub } from '../support/hub.js';
import { KeepAliveClient } from '../support/keep-alive.js';
import { initializeRequest, messagesIn, POST_HEADERS, type Json } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { Upgradable } from '../support/upgradable.js';
import { modernHeaders, modernMessage } from './eras/modern-http.js';

/** Calls of each client before and after it. */
const SOME = 6;
/** Longer than any test takes: what waits for it fails. Milliseconds. */
const DEADLINE = 600_000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** Posts a message somehow. */
type Post = (headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

for (const secure of [false, true]) {
  describe(`connections in a hand-over, ${secure ? 'TLS' : 'plain'}`, function () {
    this.timeout(120_000);
    let hub: FixtureHub;
    let world: Upgradable;
    let folder: string;
    const agents: Agent[] = [];
    const kept: KeepAliveClient[] = [];

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'viable-handover-'));
      const name = [{ name: 'commonName', value: 'localhost' }];
      const pair = await generate(name, { keyType: 'ec', algorithm: 'sha256' });
      await writeFile(path.join(folder, 'cert.pem'), pair.cert);
      await writeFile(path.join(folder, 'key.pem'), pair.private);
    });
    after(async () => {
      await rm(folder, { recursive: true, force: true });
    });
    beforeEach(async () => {
      hub = await FixtureHub.start();
      const tls = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
      world = await Upgradable.start({
        mcpServers: { good: hub.stdio('sdk-server', 'good') },
        gateway: settings({ listen: secure ? { tls } : {}, draining: { defaultTimeout: DEADLINE } }),
      });
      await world.gateway.waitForUpstream('good', ({ state }) => state === 'ready', 'is ready');
    });
    afterEach(async () => {
      for (const client of kept.splice(0)) client.close();
      for (const agent of agents.splice(0)) await agent.destroy();
      await world.stop();
      await hub.close();
    });

    function agent(connections: number): Agent {
      const connect = { rejectUnauthorized: false };
      const made = new Agent({ connections, pipelining: 1, keepAliveTimeout: 60_000, connect });
      agents.push(made);
      return made;
    }

    const address = (): string => `${world.gateway.url}/mcp`;

    /** undici without redirects, on so many connections. */
    function pooled(connections: number): Post {
      const dispatcher = agent(connections);
      return async (headers, body) => {
        const answer = await request(address(), { method: 'POST', headers, body, dispatcher });
        return {
          status: answer.statusCode,
          headers: answer.headers as Answer['headers'],
          body: await answer.body.text(),
        };
      };
    }

    /** A socket of its own. */
    function bare(): Post {
      const client = new KeepAliveClient(world.gateway.url);
      kept.push(client);
      return async (headers, body) => {
        const answer = await client.post('/mcp', headers, body);
        return { ...answer, headers: Object.fromEntries(answer.headers) };
      };
    }

    /** A legacy session; resolves with its calls. */
    async function session(post: Post): Promise<() => Promise<void>> {
      const opened = await post(POST_HEADERS, JSON.stringify(initializeRequest('2025-11-25')));
      const id = opened.headers['mcp-session-id'] ?? assert.fail(`${opened.status} ${opened.body}`);
      const headers = { ...POST_HEADERS, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
      const said = await post(headers, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
      assert.equal(said.status, 202);
      return async () => {
        const text = randomUUID();
        const params = { name: 'good__echo', arguments: { text } };
        const body = JSON.stringify({ jsonrpc: '2.0', id: text, method: 'tools/call', params });
        answers(await post(headers, body), text);
      };
    }

    function modern(post: Post): () => Promise<void> {
      return async () => {
        const text = randomUUID();
        const params = { name: 'good__echo', arguments: { text } };
        const message = modernMessage('tools/call', params, { id: text });
        answers(await post(modernHeaders('tools/call', params), JSON.stringify(message)), text);
      };
    }

    function answers({ status, headers, body }: Answer, text: string): void {
      assert.equal(status, 200, `${status} ${body}`);
      const found = messagesIn({ headers, body }).find(({ id }) => id === text);
      assert.equal(textOf(found?.result), text);
    }

    it('0 refused, 0 failed for clients that keep their connections and follow no redirect', async () => {
      const newcomer = async (): Promise<void> => {
        const post = bare();
        await (
          await session(post)
        )();
        kept.pop()?.close();
      };
      const works = [
        ...(await Promise.all([bare(), bare(), pooled(1)].map(session))),
        ...[bare(), pooled(4)].map(modern),
        newcomer,
      ];
      let running = true;
      const done = works.map(() => 0);
      const failures: unknown[] = [];
      const load = works.map(async (work, i) => {
        while (running) {
          await work().then(
            () => (done[i] = (done[i] ?? 0) + 1),
            (error: unknown) => failures.push(error),
          );
        }
      });
      const some = async (): Promise<void> => {
        const from = [...done];
        await eventually(
          () => {
            const most = done.map((count, i) => count - (from[i] ?? 0));
            assert.ok(failures.length > 0 || Math.min(...most) > SOME, most.join(' '));
          },
          { deadline: 30_000 },
        );
      };
      try {
        await some();
        const run = await world.upgrade();
        assert.equal(run.code, 0, run.stdout + run.stderr);
        await world.oldIsGone();
        await some();
      } finally {
        running = false;
        await Promise.all(load);
      }
      assert.deepEqual(failures, []);
      assert.notEqual(await world.pid(), world.oldPid);
    });

    it('connections that say nothing do not keep it waiting', async () => {
      const works = await Promise.all([bare(), bare(), pooled(1)].map(session));
      works.push(...[bare(), pooled(1)].map(modern));
      for (const work of works) await work();
      const { hostname: host, port } = new URL(world.gateway.url);
      const where = { host, port: Number(port) };
      const silent = secure ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
      silent.on('error', () => undefined);
      await once(silent, secure ? 'secureConnect' : 'connect');
      const run = await world.upgrade();
      assert.equal(run.code, 0, run.stdout + run.stderr);
      await world.oldIsGone();
      const { outcome } = await world.gateway.waitForLog(({ event }) => event === 'closing', 'the end of the drain');
      assert.equal(outcome, 'completed');
      for (const work of works) await work();
      silent.destroy();
    });

    const OFFICIAL = {
      'SDK v1': async (fetch: typeof globalThis.fetch) => {
        const client = new ClientV1({ name: 'v1', version: '1' });
        const transport = new TransportV1(new URL(address()), { fetch });
        await client.connect(transport);
        const call = async (args: Json): Promise<Json> =>
          await client.callTool({ name: 'good__echo', arguments: args });
        return { call, close: async () => await client.close(), id: () => transport.sessionId };
      },
      'SDK v2': async (fetch: typeof globalThis.fetch) => {
        const client = new ClientV2({ name: 'v2', version: '1' });
        const transport = new TransportV2(new URL(address()), { fetch });
        await client.connect(transport);
        const call = async (args: Json): Promise<Json> =>
          await client.callTool({ name: 'good__echo', arguments: args });
        return { call, close: async () => await client.close(), id: () => transport.sessionId };
      },
    };

    for (const [name, open] of Object.entries(OFFICIAL)) {
      it(`${name} finds its session where it has gone, whichever connection it takes`, async () => {
        const [first, second] = [agent(1), agent(1)];
        let dispatcher = first;
        let redirected = 0;
        // Its stream would hold a connection.
        const fetch: unknown = async (url: string | URL, init: UndiciInit = {}): Promise<UndiciResponse> => {
          if (init.method === 'GET') return new UndiciResponse(null, { status: 405 });
          const response = await undiciFetch(url, { ...init, dispatcher });
          if (response.status === 307 || response.redirected) redirected += 1; // they follow it by themselves
          return response;
        };
        const { call, close, id } = await open(fetch as typeof globalThis.fetch);
        const before = id();
        const echo = async (): Promise<void> => {
          const text = randomUUID();
          assert.equal(textOf(await call({ text })), text);
        };
        await echo();
        const run = world.upgrade();
        await world.taken();
        // A new connection is the successor's, sooner or later: the session goes there.
        dispatcher = second;
        await eventually(async () => {
          await echo();
          const here = await world.gateway.admin<ConnectionSnapshot[]>('connections');
          assert.ok(here.some(({ sessionId }) => sessionId === before));
        });
        // The first one leads to the old process still, where TLS keeps it.
        dispatcher = first;
        await echo();
        await echo();
        assert.equal(id(), before);
        // Where it said nothing for a while it was closed, and its client has another one.
        assert.ok(redirected <= (secure ? 1 : 0), String(redirected));
        await close();
        for (const one of [first, second]) await one.close();
        assert.equal((await run).code, 0);
        await world.oldIsGone();
      });
    }
  });
}
