/** Coalescing: who shares a read with whom, and that everybody is answered once, whoever gives up. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Call, type CallEvent, type Caller, type UpstreamSessionMessage } from '#src/actors/call.js';
import { SharedReads } from '#src/actors/shared-reads.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { ANONYMOUS, type Principal } from '#src/auth/principal.js';
import { type Ref } from '#src/kernel/index.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { FakeRef } from '../../support/actors/world.js';

const CHANNEL = { answer: () => true, notify: () => true, release: () => undefined, stillWorking: () => undefined };

class Server {
  readonly session = new FakeRef<UpstreamSessionMessage>('/session');
  readonly gate = new UpstreamGate('one', 10, 1_000);
  joined = 0;
  readonly reads = new SharedReads(() => (this.joined += 1));
  #ids = 0;

  constructor() {
    this.gate.session = this.session;
  }

  read(
    uri: string,
    principal: Principal = ANONYMOUS,
    over: { method?: string; params?: JsonObject; to?: Ref<UpstreamSessionMessage> } = {},
  ): { call: Call; client: FakeRef<CallEvent> } {
    const { method = 'resources/read', params = { uri, _meta: { progressToken: (this.#ids += 1) } } } = over;
    const caller: Caller = { era: 'legacy', principal, envelope: {} };
    const { gate } = this;
    const to = this.reads.target({ method, params, gate, caller }, over.to ?? this.session);
    const client = new FakeRef<CallEvent>();
    const id = (this.#ids += 1);
    const call = new Call({
      id,
      method,
      target: '',
      params,
      replyTo: client,
      gate,
      to,
      caller,
      tool: undefined,
      channel: CHANNEL,
      progressToken: undefined,
      startedAt: 0,
    });
    assert.equal(to.tell(call), 'ok');
    return { call, client };
  }

  get asked(): Call[] {
    return this.session.messages.filter((message): message is Call => message.type === 'call');
  }

  get cancelled(): number {
    return this.session.messages.filter(({ type }) => type === 'call/cancel').length;
  }

  answer(call: Call): void {
    call.replyTo.answer({ type: 'call/answered', call, message: { jsonrpc: '2.0', id: 0, result: { contents: [] } } });
  }
}

const somebody = (key: string): Principal => ({ ...ANONYMOUS, key });

describe('coalescing', () => {
  it('sends identical reads of one principal once and answers each, whatever their progress tokens', () => {
    const server = new Server();
    const clients = Array.from({ length: 5 }, () => server.read('file:///a').client);
    assert.equal(server.asked.length, 1);
    server.answer(server.asked[0] as Call);
    for (const { messages } of clients)
      assert.deepEqual(
        messages.map(({ type }) => type),
        ['call/answered'],
      );
    assert.deepEqual([server.joined, server.reads.size], [4, 0]);
    server.read('file:///a');
    assert.equal(server.asked.length, 2);
  });

  it('never shares between principals, between resources, or over a session that is one client’s alone', () => {
    const server = new Server();
    server.read('file:///a', somebody('sub:i:a'));
    server.read('file:///a', somebody('sub:i:b'));
    server.read('file:///b', somebody('sub:i:a'));
    const own = new FakeRef<UpstreamSessionMessage>('/own');
    server.read('file:///a', somebody('sub:i:a'), { to: own });
    assert.equal(server.asked.length, 3);
    assert.equal(own.messages.length, 1);
  });

  it('never shares a tool call, nor a read that brings answers', () => {
    const server = new Server();
    for (let i = 0; i < 2; i++) {
      server.read('', ANONYMOUS, { method: 'tools/call', params: { name: 'pay', arguments: {} } });
      server.read('', ANONYMOUS, { params: { uri: 'file:///a', requestState: 'x' } });
    }
    assert.equal(server.asked.length, 4);
  });

  it('tells the server to cancel when the last one gives up, and not before', () => {
    const server = new Server();
    const [one, two] = [server.read('file:///a'), server.read('file:///a')];
    one.call.to.urgent({ type: 'call/cancel', call: one.call, reason: 'gone' });
    assert.equal(server.cancelled, 0);
    two.call.to.urgent({ type: 'call/cancel', call: two.call, reason: 'gone' });
    assert.equal(server.cancelled, 1);
    server.answer(server.asked[0] as Call);
    assert.deepEqual([...one.client.messages, ...two.client.messages], []);
  });

  it('a read that cannot be sent is nobody’s to join', () => {
    const server = new Server();
    server.session.result = 'full';
    assert.throws(() => server.read('file:///a'));
    assert.equal(server.reads.size, 0);
  });

  it('answers everybody who waits exactly once, for any order of reads, cancels, answers and failures', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('read' as const), uri: fc.nat(2), who: fc.nat(1) }),
      fc.record({ type: fc.constant('cancel' as const), nth: fc.nat(20) }),
      fc.record({ type: fc.constant('answer' as const), nth: fc.nat(20), ok: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new Server();
        const made: { call: Call; client: FakeRef<CallEvent>; cancelled: boolean }[] = [];
        for (const action of steps) {
          if (action.type === 'read') {
            const read = server.read(`file:///${action.uri}`, somebody(`sub:i:${action.who}`));
            made.push({ ...read, cancelled: false });
          } else if (action.type === 'cancel') {
            const read = made[action.nth];
            if (!read || read.cancelled || read.client.messages.length > 0) continue;
            read.cancelled = true;
            read.call.to.urgent({ type: 'call/cancel', call: read.call, reason: '' });
          } else {
            const call = server.asked[action.nth];
            if (!call) continue;
            if (action.ok) server.answer(call);
            else call.replyTo.answer({ type: 'call/failed', call, error: { code: 1, message: '' } });
          }
        }
        for (const call of server.asked) server.answer(call);
        for (const { client, call, cancelled } of made) {
          assert.equal(client.messages.length, cancelled ? 0 : 1);
          for (const event of client.messages) assert.equal('call' in event && event.call, call);
        }
        assert.equal(server.reads.size, 0);
      }),
      { numRuns: 300 },
    );
  });
});
