/**
 * The fake gateway as a process, for looking at consoles by hand: `node fake-gateway-main.js SOCKET`.
 * Its figures move every 100 ms.
 */
import { startAdminServer } from '#src/admin/server.js';
import { FakeGateway } from './fake-gateway.js';
import { fakeLog, fakeSnapshot, fakeTree, fakeUpstreams } from './fixtures.js';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: node fake-gateway-main.js SOCKET');

const shift = Date.now() - fakeSnapshot().takenAt;
const gateway = new FakeGateway(fakeSnapshot({ startedAt: fakeSnapshot().startedAt + shift }));
const started = Date.now();
gateway.history.splice(0, Infinity, ...Array.from({ length: 30 }, (_, index) => fakeLog(index, started + 70_000)));
const server = await startAdminServer({
  path,
  handler: gateway.handler,
  onError: (error) => process.stderr.write(`${error.message}\n`),
});

let ticks = 0;
setInterval(() => {
  ticks += 1;
  const now = Date.now();
  const { throughput, requests } = gateway.snapshot;
  const newSecond = ticks % 10 === 0;
  const rate = Math.round(420 + 180 * Math.sin(ticks / 60) + 120 * Math.random());
  gateway.tick({
    takenAt: now,
    throughput: {
      perSecond: newSecond ? [...throughput.perSecond.slice(1), rate] : throughput.perSecond,
      messagesTotal: throughput.messagesTotal + rate / 10,
    },
    requests: {
      ...requests,
      inFlight: Math.floor(Math.random() * 9),
      answered: requests.answered + Math.round(rate / 20),
    },
    upstreams: fakeUpstreams(now),
    tree: fakeTree(now),
  });
  if (ticks % 15 === 0) gateway.log(fakeLog(ticks / 15, now + 100_000 - (ticks / 15) * 1_000));
}, 100);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)));
}
