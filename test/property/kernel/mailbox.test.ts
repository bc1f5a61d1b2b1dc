/** Random traffic: order, overtaking, bounds and fairness of a mailbox are those of the model. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Ref, TURN_BUDGET, URGENT_QUOTA } from '#src/kernel/index.js';
import { Lane } from '#src/kernel/mailbox.js';
import { type Act, Fixture, turn } from '../../support/kernel.js';
import { MailboxModel, type ModelMessage } from '../../support/kernel-model.js';

interface Batch {
  readonly urgent: boolean;
  readonly count: number;
  /** What each message of it sends on. */
  readonly then: readonly boolean[];
  readonly turns: number;
}

const batch: fc.Arbitrary<Batch> = fc.record({
  urgent: fc.boolean(),
  count: fc.oneof(fc.nat(5), fc.nat(120)),
  then: fc.array(fc.boolean(), { maxLength: 2 }),
  turns: fc.nat(2),
});

async function cell(bounds: { urgent: number; normal: number }): Promise<{ fix: Fixture; ref: Ref<Act> }> {
  const fix = new Fixture();
  await fix.boot([fix.scripted('a', { mailbox: bounds })]);
  return { fix, ref: fix.ref('/a') };
}

describe('a mailbox, compared with the model', () => {
  it("handles in the model's order and refuses what the model refuses", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ urgent: fc.nat(150), normal: fc.nat(150) }),
        fc.array(batch, { maxLength: 12 }),
        async (bounds, batches) => {
          const { fix, ref } = await cell(bounds);
          const model = new MailboxModel(bounds, TURN_BUDGET, URGENT_QUOTA);
          const handled: number[] = [];
          let full = 0;
          let nextId = 0;
          const act =
            (message: ModelMessage): Act =>
            () => {
              handled.push(message.id);
              for (const next of message.then) send(next);
            };
          const send = (message: ModelMessage): string => {
            const answer = message.urgent ? ref.urgent(act(message)) : ref.tell(act(message));
            if (answer === 'full') full += 1;
            const { urgent, normal } = fix.nodes().get('/a')!.mailbox;
            assert.ok(urgent <= bounds.urgent && normal <= bounds.normal, 'more waits than the bounds allow');
            return answer;
          };
          for (const { urgent, count, then, turns } of batches) {
            for (let i = 0; i < count; i++) {
              const message: ModelMessage = {
                id: nextId++,
                urgent,
                then: then.map((lane) => ({ id: nextId++, urgent: lane, then: [] })),
              };
              assert.equal(send(message), model.send(message));
            }
            for (let i = 0; i < turns; i++) {
              await turn();
              model.turn();
              assert.deepEqual(handled, model.handled);
            }
          }
          await fix.settle();
          while (model.urgent.length + model.normal.length > 0) model.turn();
          assert.deepEqual(handled, model.handled);
          assert.equal(full, model.refused);
          assert.equal(fix.system.drops().get('mailbox_full') ?? 0, model.refused);
          await fix.system.shutdown();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('makes progress with normal messages at the quota under an endless urgent stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 60, max: 200 }), async (normal, urgent) => {
        const { fix, ref } = await cell({ urgent: 500, normal: 500 });
        let done = 0;
        let endless = true;
        const storm: Act = () => {
          if (endless) assert.equal(ref.urgent(storm), 'ok');
        };
        for (let i = 0; i < urgent; i++) ref.urgent(storm);
        for (let i = 0; i < normal; i++) ref.tell(() => void (done += 1));
        const share = TURN_BUDGET - URGENT_QUOTA;
        for (let turns = 1; turns <= Math.ceil(normal / share); turns++) {
          await turn();
          assert.equal(done, Math.min(normal, turns * share));
        }
        endless = false;
        await fix.settle();
        await fix.system.shutdown();
      }),
      { numRuns: 40 },
    );
  });

  it('puts an urgent message behind no more than the rest of one turn', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(400), fc.nat(6), async (waiting, turns) => {
        const { fix, ref } = await cell({ urgent: 10, normal: 1_000 });
        let handled = 0;
        let behind = -1;
        for (let i = 0; i < waiting; i++) ref.tell(() => void (handled += 1));
        for (let i = 0; i < turns; i++) await turn();
        const before = handled;
        ref.urgent(() => void (behind = handled - before));
        await fix.settle();
        assert.equal(behind, 0, 'sent between turns it is the very next');
        assert.equal(handled, waiting);
        await fix.system.shutdown();
      }),
      { numRuns: 60 },
    );
  });

  it('is a bounded first-in first-out queue in each lane', () => {
    const op = fc.oneof(
      fc.record({ type: fc.constantFrom('push', 'force' as const), count: fc.oneof(fc.nat(12), fc.nat(1_500)) }),
      fc.record({ type: fc.constantFrom('shift', 'drain' as const), count: fc.oneof(fc.nat(12), fc.nat(1_500)) }),
    );
    fc.assert(
      fc.property(fc.nat(3_000), fc.array(op, { maxLength: 30 }), (bound, ops) => {
        const lane = new Lane<number>(bound);
        const model: number[] = [];
        let next = 0;
        for (const { type, count } of ops) {
          if (type === 'drain') {
            assert.deepEqual(lane.drain(), model.splice(0));
            continue;
          }
          for (let i = 0; i < count; i++) {
            if (type === 'shift') {
              if (model.length > 0) assert.equal(lane.shift(), model.shift());
            } else if (type === 'force') {
              lane.force(next);
              model.push(next++);
            } else {
              const room = model.length < bound;
              assert.equal(lane.push(next), room);
              if (room) model.push(next);
              next += 1;
            }
          }
          assert.equal(lane.length, model.length);
        }
        assert.deepEqual(lane.drain(), model);
      }),
    );
  });
});
