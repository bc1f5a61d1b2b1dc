/** Requests a minute by role; these are the defaults. */
import { echo, say, startGateway } from './start.js';

const gateway = await startGateway({
  auth: { mode: 'optional', secrets: [{ kid: 'current', secret: 'a-secret-of-at-least-32-characters' }] },
  limits: {
    roles: {
      admin: 10_000, // internal services
      premium: 1_000, // paid users
      user: 100, // free tier
      guest: 10, // unauthenticated, by address
    },
  },
});

for (const role of ['user', 'premium'] as const) {
  let served = 0;
  for (; served < 200; served += 1) {
    const answer = await gateway.routeMessage({ subject: `a-${role}`, role }, echo('hello'));
    if (!('error' in answer)) continue;
    say(`${role}: ${served} served, then ${answer.error.message}: ${JSON.stringify(answer.error.data)}`);
    break;
  }
  if (served === 200) say(`${role}: 200 served`);
}

await gateway.stop();
