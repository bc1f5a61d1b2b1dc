import assert from 'node:assert/strict';
import { type Server, type Socket } from 'node:net';
import { handover, type HandoverMessage, type HandoverRecord } from '#src/actors/handover.js';
import { DRAIN, HANDOVER, listenerName } from '#src/actors/names.js';
import { HANDOVER_PROTOCOL, type ToPredecessor, type ToSuccessor } from '#src/handover/messages.js';
import { type Successor } from '#src/handover/successor.js';
import { Guest } from '../../support/actors/drain-world.js';
import { live, World } from '../../support/actors/world.js';

class FakeSuccessor {
  readonly pid = 4_711;
  readonly sent: { readonly message: ToSuccessor; readonly handle: unknown }[] = [];
  killed = 0;
  released = 0;
  parted = 0;
  connected = true;
  send(message: ToSuccessor, handle?: unknown): boolean {
    if (this.connected) this.sent.push({ message, handle });
    return this.connected;
  }
  kill(): void {
    this.killed += 1;
  }
  release(): void {
    this.released += 1;
  }
  part(): Promise<void> {
    this.parted += 1;
    return Promise.resolve();
  }
}

describe('hand-over', () => {
  let world: World;
  let successor: FakeSuccessor;
  let record: HandoverRecord;
  const server = { listening: true } as unknown as Server;

  beforeEach(async () => {
    world = new World();
    successor = new FakeSuccessor();
    record = { snapshot: null, successor: null };
    const { system, plane, log } = world;
    plane.doors.set('http', { open: true, server });
    await world.boot({
      [listenerName('http').path]: 'recorder',
      [DRAIN.path]: 'recorder',
      [HANDOVER.path]: live(handover({ system, plane, log, record, start: () => successor as unknown as Successor })),
    });
  });
  afterEach(() => world.system.shutdown());

  async function tell(message: HandoverMessage): Promise<void> {
    world.system.urgent(HANDOVER, message);
    await world.settle();
  }
  const heard = (message: ToPredecessor): Promise<void> => tell({ type: 'handover/heard', message });
  const begin = (): Promise<void> => tell({ type: 'handover/begin', command: {} });
  async function serving(): Promise<void> {
    await begin();
    await heard({ type: 'successor/prepared', protocol: HANDOVER_PROTOCOL });
    await heard({ type: 'successor/serving' });
  }

  it('gives the listening socket when asked, and drains this process when the successor serves', async () => {
    await begin();
    assert.equal(record.snapshot?.state, 'starting');
    assert.equal(world.plane.handover, null);
    await heard({ type: 'successor/prepared', protocol: HANDOVER_PROTOCOL });
    assert.deepEqual(successor.sent, [
      { message: { type: 'handover/listen', protocol: HANDOVER_PROTOCOL }, handle: server },
    ]);
    assert.equal(world.plane.doors.get('http')?.open, true);
    await heard({ type: 'successor/serving' });
    assert.equal(world.plane.doors.get('http')?.open, false);
    assert.deepEqual(world.take(listenerName('http').path), [{ type: 'listener/look' }]);
    assert.deepEqual(world.take(DRAIN.path), [{ type: 'drain/begin', reason: 'hand-over', graceMs: 0 }]);
    assert.equal(successor.released, 1);
    await world.system.shutdown();
    assert.deepEqual([successor.parted, successor.killed, record.snapshot.state], [1, 0, 'done']);
  });

  for (const [what, happens] of [
    ['ends', () => tell({ type: 'handover/exited', why: 'it ended with code 3' })],
    ['is late', () => world.advance(60_000, 10_000)],
    ['speaks another version', () => heard({ type: 'successor/prepared', protocol: HANDOVER_PROTOCOL + 1 })],
  ] as const) {
    it(`a successor that ${what} costs nothing, and another may be tried`, async () => {
      await begin();
      await happens();
      assert.equal(record.snapshot?.state, 'failed');
      assert.ok(record.snapshot.error);
      assert.equal(successor.killed, 1);
      assert.equal(world.plane.handover, null);
      assert.equal(world.plane.doors.get('http')?.open, true);
      assert.deepEqual(world.take(DRAIN.path), []);
      successor = new FakeSuccessor();
      await serving();
      assert.equal(record.snapshot.state, 'draining');
    });
  }

  it('a process that stops before the successor serves takes it along', async () => {
    await begin();
    await world.system.shutdown();
    assert.deepEqual([successor.parted, successor.killed], [0, 1]);
  });

  it('sessions: unknown ones are said to be, others are asked to go', async () => {
    await serving();
    successor.sent.length = 0;
    await heard({ type: 'session/claim', id: 'nobody' });
    assert.deepEqual(successor.sent.pop()?.message, { type: 'session/unknown', id: 'nobody' });
    const webSocket = new Guest(world, 'ws');
    await heard({ type: 'session/claim', id: webSocket.id });
    assert.deepEqual(successor.sent.pop()?.message, { type: 'session/unknown', id: 'ws' });
    await heard({ type: 'session/said', id: 'nobody', key: 'k', text: '{}' });
    assert.deepEqual(successor.sent.pop()?.message, { type: 'session/returned', id: 'nobody', key: 'k', text: '{}' });
  });

  it('a socket that cannot be sent is closed, not lost', async () => {
    await serving();
    let closed = 0;
    const socket = { destroy: () => (closed += 1) } as unknown as Socket;
    world.plane.handover?.socket(socket);
    assert.equal(closed, 0);
    assert.equal(record.snapshot?.sockets, 1);
    successor.connected = false;
    world.plane.handover?.socket(socket);
    assert.equal(closed, 1);
  });
});
