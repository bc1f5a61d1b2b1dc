/**
 * What every outbound adapter must do, whatever its wire. Each adapter's test file runs this suite against a raw fixture
 * server; what is particular to one wire stands in test/unit/outbound.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { OutboundTarget } from '#src/transports/outbound/create.js';
import type { TransportLimits } from '#src/transports/outbound/limits.js';
import type { OutboundHandlers, OutboundTransport } from '#src/transports/outbound/transport.js';
import { notification, patient, Recorder, request } from '../support/outbound/recorder.js';

/** A running fixture server, and the ways to reach it, nobody, or somebody who never answers. */
export interface ContractPeer {
  create(handlers: OutboundHandlers, limits?: Partial<TransportLimits>): OutboundTransport;
  /** A target where nothing is. */
  createMissing(handlers: OutboundHandlers): OutboundTransport;
  /** The fixture as a child process would name it. */
  readonly target: OutboundTarget;
  stop(): Promise<void>;
}

export interface ContractSubject {
  readonly name: string;
  /** The error kind of a target where nothing is. */
  readonly missingKind: 'spawn_failed' | 'connect_failed';
  /** A message past the cap ends the transport; where each request has its own stream, only that request. */
  readonly oversizeEndsTransport: boolean;
  /** A target on a port that accepts connections and then says nothing; absent where no port is involved. */
  readonly createHanging?: (handlers: OutboundHandlers, port: number) => OutboundTransport;
  start(): Promise<ContractPeer>;
}

const EXIT_SCRIPT = fileURLToPath(new URL('../support/outbound/close-and-exit.js', import.meta.url));
const GRACE_MS = 2_000;
const MEGABYTE = 1024 * 1024;

export function outboundTransportContract(subject: ContractSubject): void {
  describe(`outbound transport contract: ${subject.name}`, () => {
    let peer: ContractPeer;
    let recorder: Recorder;
    let opened: OutboundTransport[];

    beforeEach(async () => {
      peer = await subject.start();
      recorder = new Recorder();
      opened = [];
    });

    afterEach(async () => {
      await Promise.all(opened.map((transport) => transport.close(GRACE_MS)));
      await peer.stop();
      assert.deepEqual(recorder.violations, [], 'handlers were called inside a method');
      assert.ok(recorder.closings.length <= opened.length, 'onClosed came more than once');
      const failed = recorder.failures.map(([id]) => id);
      assert.equal(new Set(failed).size, failed.length, 'a request failed twice');
    });

    async function open(limits?: Partial<TransportLimits>): Promise<OutboundTransport> {
      const transport = recorder.watch(peer.create(recorder, limits));
      assert.equal(await transport.open(patient), undefined);
      opened.push(transport);
      return transport;
    }

    describe('opening', () => {
      it('reports a target where nothing is, and calls no handler', async () => {
        const transport = recorder.watch(peer.createMissing(recorder));
        const error = await transport.open(patient);
        assert.equal(error?.kind, subject.missingKind);
        assert.equal(error.unsent, true);
        assert.ok(error.message.length > 0 && !error.message.includes('\n'));
        await transport.close(GRACE_MS);
        assert.equal(recorder.closings.length, 0);
      });

      it('gives up when its signal is raised beforehand', async () => {
        const transport = recorder.watch(peer.create(recorder));
        const error = await transport.open(AbortSignal.abort());
        assert.equal(error?.kind, 'timeout');
        await transport.close(GRACE_MS);
        assert.equal(recorder.closings.length, 0);
      });

      const { createHanging } = subject;
      if (createHanging !== undefined) {
        it('gives up on a silent peer when its signal is raised, and leaves no connection', () =>
          silence(createHanging));
      }

      async function silence(create: NonNullable<ContractSubject['createHanging']>): Promise<void> {
        const silent = createServer();
        await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
        const address = silent.address();
        assert.ok(typeof address === 'object' && address !== null);
        const abort = new AbortController();
        const ended = new Promise<void>((resolve) => {
          silent.once('connection', (socket) => {
            socket.on('error', () => undefined).once('close', resolve);
            socket.resume();
            abort.abort();
          });
        });
        const transport = recorder.watch(create(recorder, address.port));
        const error = await transport.open(abort.signal);
        assert.equal(error?.kind, 'timeout');
        await ended;
        await new Promise((resolve) => silent.close(resolve));
        await transport.close(GRACE_MS);
      }

      it('can be closed before and while it opens', async () => {
        const never = recorder.watch(peer.create(recorder));
        await never.close(GRACE_MS);
        assert.equal((await never.open(patient))?.kind, 'closed');
        const early = recorder.watch(peer.create(recorder));
        const opening = early.open(patient);
        await early.close(GRACE_MS);
        assert.equal((await opening)?.kind, 'closed');
        assert.equal(recorder.closings.length, 0);
      });
    });

    describe('messages', () => {
      it('brings the answer to a request', async () => {
        const transport = await open();
        assert.equal(transport.send(request(1, 'echo', { word: 'hello' })), true);
        assert.deepEqual(await recorder.result(1), { echo: { word: 'hello' } });
        assert.ok(recorder.bytes > 0);
      });

      it('brings an error answer as a message', async () => {
        const transport = await open();
        transport.send(request('a', 'fail'));
        const ending = await recorder.ending('a');
        assert.ok(ending.kind === 'answer' && 'error' in ending.message);
        assert.equal(ending.message.error.code, -32601);
      });

      it('keeps number and string ids apart', async () => {
        const transport = await open();
        transport.send(request(1, 'echo', { is: 'number' }));
        transport.send(request('1', 'echo', { is: 'string' }));
        assert.deepEqual(await recorder.result(1), { echo: { is: 'number' } });
        assert.deepEqual(await recorder.result('1'), { echo: { is: 'string' } });
      });

      it('brings notifications in order and before the result', async () => {
        const transport = await open();
        transport.send(request(7, 'progress', { count: 200 }));
        await recorder.result(7);
        const steps = recorder.messages.map((message) =>
          'method' in message ? message.params?.['progress'] : 'result',
        );
        assert.deepEqual(steps, [...Array.from({ length: 200 }, (_, step) => step), 'result']);
      });

      it('carries 1,000 requests at once', async () => {
        const transport = await open();
        const ids = Array.from({ length: 1_000 }, (_, index) => index);
        for (const id of ids) assert.equal(transport.send(request(id, 'echo', { id })), true);
        for (const id of ids) assert.deepEqual(await recorder.result(id), { echo: { id } });
        assert.equal(recorder.messages.length, 1_000);
      });

      it('carries 5 MB both ways', async () => {
        const transport = await open();
        const text = 'äx😀'.repeat((5 * MEGABYTE) / 7);
        assert.equal(transport.send(request(1, 'echo', { text })), true);
        const { echo } = (await recorder.result(1)) as { echo: { text: string } };
        assert.ok(echo.text === text, 'the text came back changed');
      });

      it('keeps every character', async () => {
        const transport = await open();
        const text = 'ü 漢字 😀 \u2028\u2029 \u0000 "\\ \r\n \u{10ffff}';
        transport.send(request(1, 'echo', { text }));
        assert.deepEqual(await recorder.result(1), { echo: { text } });
      });

      it('sends notifications, which fail nothing', async () => {
        const transport = await open();
        assert.equal(transport.send(notification('notifications/initialized')), true);
        transport.send(request(1, 'echo'));
        await recorder.result(1);
        assert.equal(recorder.failures.length, 0);
      });

      it('unpacks a batch', async () => {
        const transport = await open();
        transport.send(request(1, 'batch'));
        assert.deepEqual(await recorder.result(1), { batched: true });
        assert.equal(recorder.messages.length, 2);
      });

      it('survives garbage and counts it', async () => {
        const transport = await open();
        transport.send(request(1, 'garbage'));
        assert.deepEqual(await recorder.result(1), { survived: true });
        assert.ok(recorder.junk.length > 0);
        for (const [sample, bytes] of recorder.junk) {
          assert.ok(bytes > 0 && sample.length <= 120);
          assert.doesNotMatch(sample, /\p{Cc}/u);
        }
        transport.send(request(2, 'echo'));
        await recorder.result(2);
      });

      it('says nothing more of an abandoned request', async () => {
        const transport = await open();
        transport.send(request(1, 'silent'));
        transport.abandon(1);
        transport.abandon('never sent');
        transport.send(request(2, 'echo'));
        await recorder.result(2);
        assert.deepEqual(recorder.failures, []);
      });
    });

    describe('limits', () => {
      it('refuses a message past the size cap', async () => {
        const transport = await open({ maxMessageBytes: 100_000 });
        transport.send(request(1, 'big', { bytes: 90_000 }));
        await recorder.result(1);
        transport.send(request(2, 'big', { bytes: 200_000 }));
        const ending = await recorder.ending(2);
        assert.ok(ending.kind !== 'answer');
        assert.equal(ending.error.kind, 'too_large');
        assert.equal(ending.kind, subject.oversizeEndsTransport ? 'closed' : 'failed');
        assert.equal(recorder.messages.length, 1);
        if (subject.oversizeEndsTransport) return;
        transport.send(request(3, 'echo'));
        await recorder.result(3);
      });
    });

    describe('ending', () => {
      it('tells of every pending request exactly once when the peer dies', async () => {
        const transport = await open();
        for (const id of [1, 2, 3]) transport.send(request(id, 'silent'));
        transport.send(request(4, 'die'));
        const ending = await recorder.ending(4);
        assert.notEqual(ending.kind, 'answer');
        if (ending.kind === 'failed') {
          assert.equal(ending.error.kind, 'closed');
          assert.equal(ending.error.unsent, undefined, 'it may have been carried out');
          assert.deepEqual(recorder.closings, []);
          return;
        }
        await transport.close(GRACE_MS);
        assert.equal(recorder.closings.length, 1);
        assert.deepEqual(recorder.failures, []);
      });

      it('closes once, calls onClosed once and leaves pending requests to it', async () => {
        const transport = await open();
        transport.send(request(1, 'silent'));
        await Promise.all([transport.close(GRACE_MS), transport.close(GRACE_MS)]);
        await transport.close(GRACE_MS);
        assert.deepEqual(
          recorder.closings.map(({ kind }) => kind),
          ['closed'],
        );
        assert.deepEqual(recorder.failures, []);
      });

      it('fails a request sent after the end, and swallows a notification', async () => {
        const transport = await open();
        await transport.close(GRACE_MS);
        transport.send(notification('notifications/cancelled'));
        transport.send(request(9, 'echo'));
        const [failed, error] = await recorder.until(() => recorder.failures[0]);
        assert.equal(failed, 9);
        assert.equal(error.kind, 'closed');
        assert.equal(error.unsent, true);
      });

      it('leaves nothing that keeps a process alive', async () => {
        const run = promisify(execFile);
        const { stdout } = await run(process.execPath, [EXIT_SCRIPT, JSON.stringify(peer.target)]);
        assert.equal(stdout, 'closed\n');
      });
    });
  });
}
