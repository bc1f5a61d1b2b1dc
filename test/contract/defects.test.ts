/**
 * A defect in the handling of a request, injected: on each transport and in both eras its client is answered at once with
 * `internal_error`, nobody waits for ever, and others are served.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Gateway } from '#src/gateway.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { createLog } from '#src/telemetry/logger.js';
import { configOf } from '../support/actors/world.js';
import { PhoenixPeer } from '../support/phoenix-peer.js';
import { fetchRaw, HttpSession, messagesIn, type Wire } from '../support/raw-http.js';
import { RAW_PEERS, type RawPeerKind } from '../support/raw-peers.js';
import { modernHeaders, modernMessage } from '../e2e/eras/modern-http.js';

const INTERNAL_ERROR = -32603;

const KINDS: readonly RawPeerKind[] = [
  ...RAW_PEERS,
  { name: 'Phoenix Channels', open: async (base) => await PhoenixPeer.open(base) },
];

describe('a defect while a request is handled', () => {
  let gateway: Gateway;
  let directory: string;
  let base: string;
  const scope = Object.getOwnPropertyDescriptor(RoutingTable.prototype, 'scope') ?? assert.fail();

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-defects-'));
    const log = createLog('fatal', false);
    log.setQuiet(true);
    const config = configOf({
      mcpServers: {},
      gateway: { listen: { port: 0 }, admin: { socket: path.join(directory, 'admin.sock') } },
    });
    gateway = new Gateway({ config, log });
    await gateway.start();
    base = gateway.url.replace(/\/mcp$/, '');
  });
  after(async () => {
    await gateway.forceShutdown();
    await rm(directory, { recursive: true, force: true });
  });
  afterEach(() => {
    restore();
  });

  function restore(): void {
    Object.defineProperty(RoutingTable.prototype, 'scope', scope);
  }

  function inject(): void {
    RoutingTable.prototype.scope = () => {
      throw new Error('injected');
    };
  }

  async function othersAreServed(): Promise<void> {
    restore();
    const session = await HttpSession.open(base);
    assert.ok((await session.request('tools/list')).result);
  }

  for (const { name, open } of KINDS) {
    it(name, async () => {
      const peer = await open(base);
      inject();
      const { error } = await peer.request('tools/list');
      assert.equal(error?.code, INTERNAL_ERROR);
      await othersAreServed();
    });
  }

  for (const { name, open } of RAW_PEERS) {
    it(`in a batch, ${name}: each message of it is answered`, async () => {
      const peer = await open(base, '2025-03-26');
      inject();
      const batch = ['tools/list', 'ping', 'prompts/list'].map((method, id) => ({ jsonrpc: '2.0', id, method }));
      const { messages } = await peer.send(JSON.stringify(batch), batch.length);
      const codes = (messages as Wire[]).map(({ id, error }) => [id, error?.code]);
      assert.deepEqual(codes.sort(), [
        [0, INTERNAL_ERROR],
        [1, undefined],
        [2, INTERNAL_ERROR],
      ]);
      await othersAreServed();
    });
  }

  it('the modern era', async () => {
    inject();
    const body = JSON.stringify(modernMessage('tools/list'));
    const reply = await fetchRaw(`${base}/mcp`, { method: 'POST', headers: modernHeaders('tools/list'), body });
    assert.equal(messagesIn(reply)[0]?.error?.code, INTERNAL_ERROR);
    await othersAreServed();
  });
});
