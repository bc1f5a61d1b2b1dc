/**
 * A deployment: the old instance drains, then the new one starts at the same address. Where not even a connection may be
 * refused, `viable upgrade` hands the listening socket over instead: docs/operations.md.
 */
import { type Gateway } from 'viable-gateway';
import { echo, say, startGateway } from './start.js';

async function rollingUpdate(old: Gateway): Promise<Gateway> {
  // Signal the old instance to drain, and wait until nothing of it is left.
  old.on('drain', ({ state }) => say(`old instance: ${state}`));
  await old.stop({ timeout: 60_000 });
  // Deploy the new one.
  process.env['PORT'] = new URL(old.url).port;
  return startGateway();
}

const old = await startGateway();
const replacement = await rollingUpdate(old);
say(`same address: ${replacement.url === old.url}`);
const answer = await replacement.routeMessage('ada', echo('from the new instance'));
say(JSON.stringify(answer).includes('from the new instance') ? 'the new instance serves' : 'it does not serve');
await replacement.stop();
