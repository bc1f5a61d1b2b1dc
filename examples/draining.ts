/** Draining: four ways to stop a gateway. */
import { echo, say, startGateway } from './start.js';

// Waits for what is in flight, for 30 seconds at most (`gateway.draining.defaultTimeout`).
const first = await startGateway();
const answer = first.routeMessage('ada', echo('in flight'));
say(`first: ${await first.gracefulShutdown()}`);
say(`answered: ${JSON.stringify(await answer).includes('in flight')}`);

// Another limit.
const second = await startGateway();
say(`second: ${await second.gracefulShutdown({ timeout: 60_000 })}`);

// Called back when it is over; every step before that is an event.
const third = await startGateway();
third.on('drain', ({ state, connectionsLeft, inFlight }) => {
  say(`third: ${state}, ${connectionsLeft} connections, ${inFlight} in flight`);
});
await third.gracefulShutdown({ timeout: 45_000, callback: (reason) => say(`third: shutdown completed: ${reason}`) });

// At once. What is in flight is answered with an error.
const fourth = await startGateway();
await fourth.forceShutdown();
const end = await fourth.ended;
say(`fourth: ${end.kind === 'drained' ? end.outcome : end.reason}`);
